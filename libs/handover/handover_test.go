package handover_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/handover"
)

const patience = 30 * time.Second

// keep keeps a free port until the test ends or end is called.
func keep(t *testing.T, path string) (address string, end func()) {
	t.Helper()
	var keeper *handover.Keeper
	require.Eventually(t, func() bool {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, free.Close())
		keeper, err = handover.Keep(t.Context(), free.Addr().String(), path)
		return err == nil // somebody else may have been faster
	}, patience, time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- keeper.Run(ctx) }()
	done := false
	end = func() {
		cancel()
		if !done {
			require.NoError(t, <-ended)
			done = true
		}
	}
	t.Cleanup(end)
	return keeper.Addr().String(), end
}

func take(t *testing.T, path string) *handover.Port {
	t.Helper()
	port, err := handover.Take(path)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = port.Socket.Close(), port.Leave() })
	return port
}

// listen begins to listen at a port as a process would, and accepts.
func listen(t *testing.T, port *handover.Port) net.Listener {
	t.Helper()
	socket, err := port.Socket.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, socket.Control(func(descriptor uintptr) { require.NoError(t, syscall.Listen(int(descriptor), 16)) }))
	listener, err := net.FileListener(port.Socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func dial(t *testing.T, address string) error {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err == nil {
		require.NoError(t, connection.Close())
	}
	return err
}

func accept(t *testing.T, listener net.Listener) {
	t.Helper()
	connection, err := listener.Accept()
	require.NoError(t, err)
	require.NoError(t, connection.Close())
}

func TestAPortRefusesConnectionsUnlessAProcessThatTookItListens(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	address, _ := keep(t, path)
	require.ErrorIs(t, dial(t, address), syscall.ECONNREFUSED, "nobody took it")
	for range 3 { // process after process
		port := take(t, path)
		require.False(t, port.Beside)
		require.ErrorIs(t, dial(t, address), syscall.ECONNREFUSED, "nobody listens")
		listener := listen(t, port)
		require.NoError(t, dial(t, address))
		accept(t, listener)
		require.NoError(t, listener.Close())
		require.NoError(t, port.Socket.Close())
		require.NoError(t, port.Leave())
		require.Eventually(t, func() bool { return dial(t, address) != nil }, patience, time.Millisecond)
		require.ErrorIs(t, dial(t, address), syscall.ECONNREFUSED)
	}
}

func TestAConnectionThatWaitsSurvivesTheEndOfAProcessThatHasASuccessor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	address, _ := keep(t, path)
	old := take(t, path)
	listening := listen(t, old)
	next := take(t, path)
	require.True(t, next.Beside)
	successor := listen(t, next)
	const waiting = 10
	for range waiting {
		require.NoError(t, dial(t, address))
	}
	accept(t, listening)
	require.NoError(t, listening.Close())
	require.NoError(t, old.Socket.Close())
	require.NoError(t, old.Leave())
	for range waiting - 1 {
		accept(t, successor)
	}
	require.NoError(t, dial(t, address))
	accept(t, successor)
}

func TestWhoTookAPortLearnsOfTheEndOfItsKeeper(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	_, end := keep(t, path)
	port := take(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, port.Hold(ctx), "the process ends, and the keeper has not")
	end()
	require.ErrorContains(t, port.Hold(t.Context()), "keeper")
	_, err := handover.Take(path)
	require.Error(t, err)
}

func TestAKeeperThatWasKilledKeepsNoSuccessorFromItsPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	killed.SetUnlinkOnClose(false)
	require.NoError(t, killed.Close())
	require.FileExists(t, path)
	keep(t, path)
	require.False(t, take(t, path).Beside)
}

func TestATakerThatGetsNoPortSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "port")
	_, err := handover.Take(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	stranger, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer stranger.Close()
	go func() {
		for _, said := range []string{"", "x"} {
			if connection, err := stranger.Accept(); err == nil {
				_, _ = connection.Write([]byte(said))
				_ = connection.Close()
			}
		}
	}()
	for range 2 {
		_, err = handover.Take(path)
		require.ErrorContains(t, err, path)
	}
}
