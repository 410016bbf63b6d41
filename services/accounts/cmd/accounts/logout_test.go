package main

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
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

// revoked asks over NATS, as a gateway does that has just connected, for the sessions that are revoked.
func (p *process) revoked(t *testing.T, after uint64) []uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	reply, err := natsx.Call[accounts.Revocations](ctx, p.conn, accounts.SubjectRevocations, accounts.RevocationsRequest{AfterSession: after})
	require.NoError(t, err)
	ids := []uint64{}
	for _, revocation := range reply.Revocations {
		ids = append(ids, revocation.SessionID)
	}
	return ids
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
	require.Equal(t, []uint64{first.SessionID}, p.revoked(t, 0))
	require.Empty(t, p.revoked(t, first.SessionID))
}

func TestALogoutOfAllEndsEverySessionThatThereIs(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	first := p.signUp(t, "a@x.test")
	p.signUp(t, "b@x.test")
	second := p.logIn(t, "a@x.test")
	revocation := p.requireRevoked(t, func() answer { return p.do(t, first, http.MethodPost, "/auth/logoutall", "") })
	require.Zero(t, revocation.SessionID)
	require.Equal(t, first.MemberID, revocation.MemberID)
	require.Equal(t, second.SessionID, revocation.ThroughSession)
	require.Equal(t, []uint64{first.SessionID, second.SessionID}, p.revoked(t, 0))
	require.Greater(t, p.logIn(t, "a@x.test").SessionID, revocation.ThroughSession)
}

func TestADeletedMemberIsGoneWithAllItsSessions(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	caller := p.signUp(t, "a@x.test")
	revocation := p.requireRevoked(t, func() answer { return p.do(t, caller, http.MethodDelete, userPath(caller.MemberID), "") })
	require.Equal(t, caller.MemberID, revocation.MemberID)
	require.Equal(t, uint64(math.MaxInt64), revocation.ThroughSession)
	require.Equal(t, []uint64{caller.SessionID}, p.revoked(t, 0))
	require.Equal(t, http.StatusNotFound, p.do(t, admin, http.MethodGet, userPath(caller.MemberID), "").status)
	require.Equal(t, http.StatusNotFound, p.do(t, caller, http.MethodDelete, userPath(caller.MemberID), "").status)
	refused := p.do(t, anonymous, http.MethodPost, "/auth/login", `{"email":"a@x.test","password":"`+secret+`"}`)
	require.Equal(t, []any{"Incorrect Credentials"}, refused.problem(t)["non_field_errors"])
	require.NotEqual(t, caller.MemberID, p.signUp(t, "a@x.test").MemberID)
}
