package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

func TestAProcessThatStartsRefusesConnectionsUntilItCanAnswer(t *testing.T) {
	t.Parallel()
	pair := testservers.NewPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	p := startOn(t, pair, schema)
	require.NoError(t, pair.Sync(t.Context()))
	require.NoError(t, p.Stop())

	// Nobody has told the process yet which server is the primary.
	require.NoError(t, pair.Primary.Pause())
	require.NoError(t, pair.Replica.Pause())
	p.Process = servicetest.Launch(t, program(), p.cfg)
	for range 20 {
		_, err := p.as(t, alice).try(t.Context(), http.MethodGet, "/orders/", "")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.Equal(t, http.StatusServiceUnavailable, p.Readiness())
	}
	require.NoError(t, pair.Primary.Continue())
	require.NoError(t, pair.Replica.Continue())
	p.requireFirstAnswerIsGood(t)
	require.NoError(t, p.Stop())

	// For its broker it waits a while, and then answers what it can.
	require.NoError(t, p.Broker.Kill())
	p.Process = servicetest.Launch(t, program(), p.cfg)
	p.requireFirstAnswerIsGood(t)
	require.Equal(t, http.StatusServiceUnavailable, p.Readiness())
}

// requireFirstAnswerIsGood asks until the process does not refuse the connection any more.
func (p *process) requireFirstAnswerIsGood(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		got, err := p.as(t, alice).try(t.Context(), http.MethodGet, "/orders/", "")
		if err != nil {
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			return false
		}
		require.Equal(t, http.StatusOK, got.status, got.body)
		return true
	}, patience, poll)
}

func TestAProcessTellsTheGatewayThatItHasLostItsDatabase(t *testing.T) {
	t.Parallel()
	pair := testservers.NewPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	p := startOn(t, pair, schema)
	asked := func() int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.HTTP.String()+httpx.PathReady, nil)
		require.NoError(t, err)
		request.Header.Set(assertion.Header, p.as(t, 0).principal)
		response, err := p.client.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	awaits := func(status int) {
		require.Eventually(t, func() bool { return asked() == status }, patience, poll, "%d", status)
	}
	awaits(http.StatusNoContent)
	require.NoError(t, pair.Primary.Kill())
	require.NoError(t, pair.Replica.Kill())
	awaits(http.StatusServiceUnavailable)
}
