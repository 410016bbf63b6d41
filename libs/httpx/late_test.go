package httpx_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASuccessorSharesThePortAndTakesNoConnectionBeforeItAccepts(t *testing.T) {
	t.Parallel()
	first, err := take("127.0.0.1:0", true)
	require.NoError(t, err)
	require.False(t, first.Beside())
	address := first.Addr().String()
	old, err := first.Listen()
	require.NoError(t, err)
	_, err = take(address, false)
	require.ErrorIs(t, err, syscall.EADDRINUSE, "who does not share gets nothing")

	second, err := take(address, true)
	require.NoError(t, err)
	require.True(t, second.Beside())
	next := second.Late()
	require.Equal(t, address, next.Addr().String())
	dial := func() net.Conn {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	for range 20 {
		dial()
		conn, err := old.Accept()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}

	accepted := make(chan error, 1)
	go func() {
		conn, err := next.Accept()
		if err == nil {
			err = conn.Close()
		}
		accepted <- err
	}()
	require.NoError(t, old.Close())
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		return err == nil && conn.Close() == nil
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, <-accepted)
	require.NoError(t, next.Close())
	_, err = next.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestAListenerThatNeverAcceptedGivesItsPortUp(t *testing.T) {
	t.Parallel()
	port, err := take("127.0.0.1:0", false)
	require.NoError(t, err)
	late := port.Late()
	require.NoError(t, late.Close())
	_, err = late.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	again, err := take(port.Addr().String(), false)
	require.NoError(t, err)
	require.NoError(t, again.Close())
}
