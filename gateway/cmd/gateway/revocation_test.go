package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/lifecycle"
)

func TestSessionEndedElsewhereIsRefusedAtEveryGateway(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.answerRevocations(t)
	gateways := []addresses{startGateway(t, n, io.Discard), startGateway(t, n, io.Discard)}
	for _, where := range gateways {
		awaitReady(t, where)
	}
	lost, pushed := n.issuer.Token(t, 7, 70), n.issuer.Token(t, 7, 71)
	n.revoke(t, 70)
	for _, where := range gateways {
		awaitStatus(t, where, lost, http.StatusUnauthorized)
	}
	n.revoked.Fail(errors.New("only what is pushed arrives"))
	message := n.revoke(t, 71)
	for _, where := range gateways {
		require.Eventually(t, func() bool {
			require.NoError(t, n.published.Publish(accounts.SubjectRevoked, message))
			response, _ := ask(t, where, http.MethodGet, "/orders/", pushed)
			return response.StatusCode == http.StatusUnauthorized
		}, patience, 10*time.Millisecond)
	}
}

func TestSessionEndedWhileNATSIsAwayIsRefused(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startReady(t, n)
	require.NoError(t, n.nats.Stop(t.Context()))
	token := n.issuer.Token(t, 7, 70)
	response, _ := ask(t, where, http.MethodGet, "/orders/", token)
	require.Equal(t, http.StatusOK, response.StatusCode)
	n.revoke(t, 70)
	awaitStatus(t, where, token, http.StatusUnauthorized)
}

func TestGatewayThatStartsKnowsWhatWasRevokedBefore(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.revoke(t, 70)
	require.NoError(t, n.nats.Stop(t.Context()))
	n.revoked.Fail(nil)
	where := startGateway(t, n, io.Discard)
	token := n.issuer.Token(t, 7, 70)
	// Whatever it answers before it is ready, it never lets the session in.
	require.Eventually(t, func() bool {
		response, _ := ask(t, where, http.MethodGet, "/orders/", token)
		require.NotEqual(t, http.StatusOK, response.StatusCode)
		return response.StatusCode == http.StatusUnauthorized
	}, patience, time.Millisecond)
}

func TestGatewayThatKnowsTooLittleRefusesToGuessAndHealsByItself(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["REVOCATION_MAX_STALENESS"] = "1s"
	where := startReady(t, n)
	token := n.issuer.Token(t, 7, 70)
	n.revoked.Fail(errors.New("the primary is away"))
	awaitStatus(t, where, token, http.StatusServiceUnavailable)
	require.Greater(t, metric(t, where, "gateway_revocation_staleness_seconds"), 1.0)
	response, _ := ask(t, where, http.MethodPost, "/auth/login", "")
	require.Equal(t, http.StatusOK, response.StatusCode, "public routes need no knowledge")
	require.NoError(t, lifecycle.Probe(t.Context(), where.admin.String(), io.Discard))
	_, readiness := ask(t, addresses{public: where.admin}, http.MethodGet, "/readyz", "")
	require.Contains(t, readiness, "revocations are")

	n.revoked.Fail(nil)
	awaitStatus(t, where, token, http.StatusOK)
}

func awaitStatus(t *testing.T, where addresses, token string, status int) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, _ := ask(t, where, http.MethodGet, "/orders/", token)
		return response.StatusCode == status
	}, patience, 10*time.Millisecond)
}

// metric reads a metric without labels from the admin port.
func metric(t *testing.T, where addresses, name string) float64 {
	t.Helper()
	_, text := ask(t, addresses{public: where.admin}, http.MethodGet, "/metrics", "")
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err)
			return number
		}
	}
	require.Fail(t, "no such metric", name)
	return 0
}
