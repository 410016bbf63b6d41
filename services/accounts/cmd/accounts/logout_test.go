package main

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
)

// requireRevoked checks that an answer and a message to all gateways say the same, and returns it.
func (p *process) requireRevoked(t *testing.T, do func() answer) accounts.Revocation {
	t.Helper()
	gateways := p.listen(t, accounts.SubjectRevoked)
	got := do()
	require.Equal(t, http.StatusNoContent, got.status, "%s", got.body)
	require.Empty(t, got.body)
	message, err := gateways.NextMsg(10 * time.Second)
	require.NoError(t, err)
	require.JSONEq(t, got.header.Get(accounts.HeaderRevocations), string(message.Data))
	var revoked accounts.Revocations
	require.NoError(t, json.Unmarshal(message.Data, &revoked))
	require.Len(t, revoked.Revocations, 1)
	require.WithinDuration(t, time.Now().Add(10*time.Hour), revoked.Revocations[0].Until, time.Minute)
	return revoked.Revocations[0]
}

func (p *process) logIn(t *testing.T, email string) authn.Principal {
	t.Helper()
	got := p.do(t, anonymous, http.MethodPost, "/auth/login", `{"email":"`+email+`","password":"`+secret+`"}`)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	return principal(t, got)
}

// revoked asks, as a gateway does that knows all up to a number, for what is revoked after it.
func (p *process) revoked(t *testing.T, after uint64) (revoked accounts.Revocations) {
	t.Helper()
	got := p.do(t, anonymous, http.MethodGet, accounts.PathRevocations+"?after="+strconv.FormatUint(after, 10), "")
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	require.NoError(t, json.Unmarshal([]byte(got.body), &revoked))
	return revoked
}

// requireKept checks that a gateway that has just connected learns of a revocation, and one that knows it of nothing new.
func (p *process) requireKept(t *testing.T, revocation accounts.Revocation) {
	t.Helper()
	require.Equal(t, uint64(1), revocation.Sequence)
	require.Equal(t, accounts.Revocations{Revocations: []accounts.Revocation{revocation}, Latest: 1}, p.revoked(t, 0))
	require.Equal(t, accounts.Revocations{Revocations: []accounts.Revocation{}, Latest: 1}, p.revoked(t, 1))
}

// requireEnded checks which sessions the database says have ended.
func (p *process) requireEnded(t *testing.T, ids ...uint64) {
	t.Helper()
	require.Equal(t, len(ids), p.number(t, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL"))
	for _, id := range ids {
		require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL AND id = ?", id))
	}
}

func TestALogoutEndsThatSessionAndTellsAllGateways(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	first := p.signUp(t, "a@x.test")
	second := p.logIn(t, "A@x.test")
	require.Equal(t, first.MemberID, second.MemberID)
	require.Greater(t, second.SessionID, first.SessionID)
	revocation := p.requireRevoked(t, func() answer { return p.do(t, first, http.MethodPost, "/auth/logout", "") })
	require.Equal(t, first.SessionID, revocation.SessionID)
	require.Zero(t, revocation.MemberID)
	require.Zero(t, revocation.ThroughSession)
	p.requireKept(t, revocation)
	p.requireEnded(t, first.SessionID)
}

func TestADeletedMemberIsGoneWithAllItsSessions(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	caller := p.signUp(t, "a@x.test")
	revocation := p.requireRevoked(t, func() answer { return p.do(t, caller, http.MethodDelete, userPath(caller.MemberID), "") })
	require.Equal(t, caller.MemberID, revocation.MemberID)
	require.Equal(t, uint64(math.MaxInt64), revocation.ThroughSession)
	p.requireKept(t, revocation)
	p.requireEnded(t, caller.SessionID)
	require.NoError(t, p.Pair.Sync(t.Context())) // nobody has told the admin
	require.Equal(t, http.StatusNotFound, p.do(t, admin, http.MethodGet, userPath(caller.MemberID), "").status)
	gone := p.do(t, caller, http.MethodDelete, userPath(caller.MemberID), "")
	require.Equal(t, http.StatusUnauthorized, gone.status, "its token proves nothing any more")
	require.Equal(t, "Invalid token.", gone.problem(t)["detail"])
	_, err := p.makeAdmin(t, secret, "--email", "root@x.test")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, p.do(t, p.logIn(t, "root@x.test"), http.MethodDelete, userPath(caller.MemberID), "").status)
	refused := p.do(t, anonymous, http.MethodPost, "/auth/login", `{"email":"a@x.test","password":"`+secret+`"}`)
	require.Equal(t, []any{"Incorrect Credentials"}, refused.problem(t)["non_field_errors"])
	require.NotEqual(t, caller.MemberID, p.signUp(t, "a@x.test").MemberID)
}
