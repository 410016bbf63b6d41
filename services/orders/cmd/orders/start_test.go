package main

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

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
	p.cancel()
	require.NoError(t, p.ended())

	// Nobody has told the process yet which server is the primary.
	require.NoError(t, pair.Primary.Pause())
	require.NoError(t, pair.Replica.Pause())
	p.launch(t)
	for range 20 {
		_, err := p.as(t, alice).try(t.Context(), message{method: http.MethodGet, path: "/orders/"})
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		require.Equal(t, http.StatusServiceUnavailable, p.readiness(t))
	}
	require.NoError(t, pair.Primary.Continue())
	require.NoError(t, pair.Replica.Continue())
	got := p.as(t, alice).firstAnswer(t)
	require.Equal(t, http.StatusOK, got.status, got.text)
	p.cancel()
	require.NoError(t, p.ended())

	// For its broker it waits a while, and then answers what it can.
	require.NoError(t, p.broker.Kill())
	p.launch(t)
	got = p.as(t, alice).firstAnswer(t)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Equal(t, http.StatusServiceUnavailable, p.readiness(t))
}

func TestAPortThatIsTakenEndsTheStart(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.cfg.HTTPAddr = p.addresses.HTTP.String()
	err := run(t.Context(), p.cfg, quiet(), func(Addresses) {})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}
