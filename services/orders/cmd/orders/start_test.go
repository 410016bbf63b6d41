package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/service"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

// firstAnswer asks until the process does not refuse the connection any more.
func (c caller) firstAnswer(t *testing.T) answer {
	t.Helper()
	var got answer
	require.Eventually(t, func() bool {
		var err error
		got, err = c.try(t.Context(), message{method: http.MethodGet, path: "/orders/"})
		if err != nil {
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		}
		return err == nil
	}, patience, poll)
	return got
}

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
		_, err := p.as(t, alice).try(t.Context(), message{method: http.MethodGet, path: "/orders/"})
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.Equal(t, http.StatusServiceUnavailable, p.Readiness())
	}
	require.NoError(t, pair.Primary.Continue())
	require.NoError(t, pair.Replica.Continue())
	got := p.as(t, alice).firstAnswer(t)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.NoError(t, p.Stop())

	// For its broker it waits a while, and then answers what it can.
	require.NoError(t, p.Broker.Kill())
	p.Process = servicetest.Launch(t, program(), p.cfg)
	got = p.as(t, alice).firstAnswer(t)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Equal(t, http.StatusServiceUnavailable, p.Readiness())
}

func TestAPortThatIsTakenEndsTheStart(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.cfg.HTTPAddr = p.HTTP.String()
	err := program().Serve(t.Context(), p.cfg, quiet(), func(service.Addresses) {})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}
