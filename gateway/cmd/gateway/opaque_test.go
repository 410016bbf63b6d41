package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/credential"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// opaqueOf is a token of drf-oms whose session has this number.
func opaqueOf(session byte) string { return hex.EncodeToString([]byte{31: session}) }

// knowOpaque has accounts answer over NATS for whom the tokens of member 7's sessions stand, until end is called. It counts the questions.
func (n *neighbours) knowOpaque(t *testing.T, sessions ...byte) (asked *atomic.Int32, end func()) {
	t.Helper()
	asked = &atomic.Int32{}
	known := map[string]uint64{}
	for _, session := range sessions {
		digest, _ := credential.DigestOf(opaqueOf(session))
		known[string(digest[:])] = uint64(session)
	}
	end = testservers.Run(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, n.published, accounts.Service, slog.New(slog.DiscardHandler), natsx.NewEndpoint("credential",
			accounts.SubjectCredential, func(_ context.Context, request accounts.CredentialRequest) (accounts.CredentialReply, error) {
				asked.Add(1)
				session, found := known[string(request.Digest)]
				if !found || request.Kind != accounts.CredentialKnox {
					return accounts.CredentialReply{}, nil
				}
				return accounts.CredentialReply{
					Found: true, MemberID: 7, SessionID: session, Scopes: []string{accounts.ScopeMember}, ExpiresAt: n.clock.In(time.Hour),
				}, nil
			}))
	})
	return asked, end
}

func (g gateway) requireStatus(t *testing.T, want int, token, name string) {
	t.Helper()
	response, body := g.ask(t, http.MethodGet, "/orders/", token)
	require.Equal(t, want, response.StatusCode, "%s: %s", name, body)
	switch want {
	case http.StatusUnauthorized:
		require.Contains(t, body, "Invalid token.", name)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		require.Equal(t, "1", response.Header.Get("Retry-After"), name)
	}
}

func TestATokenOfDRFOMSIsATokenLikeEveryOtherAndLoggedNowhere(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.accounts = endSession70
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		principal, err := n.verifiers["orders"].Verify(request.Header.Get(assertion.Header))
		if err != nil || principal.MemberID != 7 || principal.SessionID < 70 || request.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, `{}`)
	}
	n.answerRevocations(t)
	_, _ = n.knowOpaque(t, 70, 71, 72)
	log := &safeBuffer{}
	g := startGateway(t, n, log)
	g.awaitReady(t)
	g.awaitStatus(t, opaqueOf(70), http.StatusOK)
	for _, session := range []byte{70, 71, 72} {
		g.requireStatus(t, http.StatusOK, opaqueOf(session), "live")
	}
	g.requireStatus(t, http.StatusUnauthorized, opaqueOf(73), "unknown")

	response, _ := g.ask(t, http.MethodPost, "/auth/logout", opaqueOf(70))
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	g.requireStatus(t, http.StatusUnauthorized, opaqueOf(70), "on the very next request after its logout here")
	n.revoke(71)
	g.awaitStatus(t, opaqueOf(71), http.StatusUnauthorized)
	g.requireStatus(t, http.StatusOK, opaqueOf(72), "while others log out")

	require.Contains(t, log.String(), `"reason":"unauthenticated: Invalid token.: no such credential"`)
	for _, session := range []byte{70, 71, 72, 73} {
		digest, _ := credential.DigestOf(opaqueOf(session))
		require.NotContains(t, log.String(), opaqueOf(session))
		require.NotContains(t, log.String(), hex.EncodeToString(digest[:]))
	}
}

func TestWithoutNATSOrAccountsAnOpaqueTokenIsUnavailableAndJWTsGoOn(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(t *testing.T, n *neighbours, endAccounts func()) (comeBack func()){
		"accounts": func(t *testing.T, n *neighbours, endAccounts func()) func() {
			endAccounts()
			return func() { _, _ = n.knowOpaque(t, 70, 71) }
		},
		"NATS": func(t *testing.T, n *neighbours, _ func()) func() {
			require.NoError(t, n.nats.Stop(t.Context()))
			return func() { require.NoError(t, n.nats.Restart(t.Context())) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbours(t)
			g := startReady(t, n)
			_, end := n.knowOpaque(t, 70, 71)
			g.awaitStatus(t, opaqueOf(70), http.StatusOK)
			comeBack := leave(t, n, end)
			g.awaitStatus(t, opaqueOf(71), http.StatusServiceUnavailable)
			g.requireStatus(t, http.StatusServiceUnavailable, opaqueOf(72), "unknown, perhaps")
			g.requireStatus(t, http.StatusOK, opaqueOf(70), "remembered")
			g.requireStatus(t, http.StatusOK, n.token(t, 7, 70), "a JWT")
			n.clock.Advance(5 * time.Second)
			g.requireStatus(t, http.StatusServiceUnavailable, opaqueOf(70), "no longer remembered")

			comeBack()
			g.awaitStatus(t, opaqueOf(71), http.StatusOK)
		})
	}
}

func TestInventedTokensOfOneAddressCauseFewQuestionsAndHarmNoOther(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["TRUSTED_PROXIES"], n.env["RATE_LIMIT_ADDRESS"] = "127.0.0.0/8", "0"
	g := startReady(t, n)
	asked, _ := n.knowOpaque(t, 70, 71)
	g.awaitStatus(t, opaqueOf(70), http.StatusOK)
	before := asked.Load()
	statuses := map[int]int{}
	for range 300 {
		token := hex.EncodeToString([]byte(rand.Text() + "123456"))
		response, _ := g.ask(t, http.MethodGet, "/orders/", token, "X-Forwarded-For", "203.0.113.66")
		statuses[response.StatusCode]++
	}
	// The clock stands still, so that nothing is forgiven meanwhile.
	require.Equal(t, map[int]int{http.StatusUnauthorized: 100, http.StatusTooManyRequests: 200}, statuses)
	require.Equal(t, int32(100), asked.Load()-before)
	response, _ := g.ask(t, http.MethodGet, "/orders/", opaqueOf(71), "X-Forwarded-For", "203.0.113.67")
	require.Equal(t, http.StatusOK, response.StatusCode)
	metrics := g.askAdmin(t, "/metrics")
	require.Contains(t, metrics, `gateway_credential_lookups_total{outcome="absent"} 100`)
	require.Contains(t, metrics, `gateway_credential_lookups_total{outcome="found"} 2`)
}
