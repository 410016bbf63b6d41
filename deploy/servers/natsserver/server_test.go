package natsserver

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	}, 5*time.Second, time.Millisecond)
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

func TestParallelCallersBuildNATSOnce(t *testing.T) {
	// A cache of its own, with the go command's caches left where they are.
	for _, variable := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := goCommand(t.Context(), "", nil, "env", variable)
		require.NoError(t, err)
		t.Setenv(variable, value)
	}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	var progress strings.Builder
	var mutex sync.Mutex
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			binary, err := Build(t.Context(), "", lockedWriter{&mutex, &progress})
			if err != nil || filepath.Dir(binary) != filepath.Join(cache, "oms") {
				t.Errorf("built %q: %v", binary, err)
			}
		})
	}
	group.Wait()
	require.Equal(t, 1, strings.Count(progress.String(), "building nats-server"))
}

type lockedWriter struct {
	mutex  *sync.Mutex
	writer io.Writer
}

func (w lockedWriter) Write(content []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.writer.Write(content)
}
