package natsserver

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

func TestANATSServerTakesItsConfigurationAndComesBackAfterAKill(t *testing.T) {
	server, err := Start(t.Context(), Options{Config: `authorization { users = [ { user: me, password: secret } ] }`})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	_, err = nats.Connect(server.URL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	connect := func() *nats.Conn {
		connection, err := nats.Connect(server.URL(), nats.UserInfo("me", "secret"))
		require.NoError(t, err)
		t.Cleanup(connection.Close)
		return connection
	}
	require.Equal(t, "2.14.9", connect().ConnectedServerVersion())
	require.NoError(t, server.Kill())
	_, err = nats.Connect(server.URL(), nats.UserInfo("me", "secret"))
	require.ErrorIs(t, err, nats.ErrNoServers)
	require.NoError(t, server.Restart(t.Context()))
	require.NoError(t, connect().Flush())

	require.NoError(t, server.Pause())
	// The signal reaches all threads of a process a moment after it was sent.
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		return server.ping(ctx) != nil
	}, time.Minute, time.Millisecond)
	require.NoError(t, server.Continue())
	require.NoError(t, connect().Flush())
}

func TestNothingIsLeftOfANATSServerAfterClose(t *testing.T) {
	dir := t.TempDir()
	server, err := Start(t.Context(), Options{Dir: dir, Config: "jetstream: enabled"})
	require.NoError(t, err)
	process := server.Process
	require.NoError(t, server.Close())
	require.False(t, process.Alive())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestADetachedNATSServerIsFoundAgainAndRestartedWhenItsConfigurationChanged(t *testing.T) {
	port, err := proc.FreePort()
	require.NoError(t, err)
	options := Options{Detached: true, Dir: t.TempDir(), Port: port, Fingerprint: "one"}
	pid := func() int {
		server, err := Start(t.Context(), options)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.PID()
	}
	first := pid()
	require.Equal(t, first, pid())
	options.Fingerprint = "two"
	require.NotEqual(t, first, pid())
}

func TestADetachedNATSServerThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	port, err := proc.FreePort()
	require.NoError(t, err)
	options := Options{Detached: true, Dir: t.TempDir(), Port: port}
	hanging, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hanging.Close()) })
	require.NoError(t, hanging.Pause())
	server, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	require.NotEqual(t, hanging.PID(), server.PID())
	require.NoError(t, server.ping(t.Context()))
}
