package limit

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/forwarded"
)

func listen(t *testing.T, options ConnectionOptions) *Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	limited := Connections(listener, options)
	t.Cleanup(func() { _ = limited.Close() })
	return limited
}

// accepting hands over what a listener accepts.
func accepting(t *testing.T, listener *Listener) <-chan net.Conn {
	t.Helper()
	accepted := make(chan net.Conn, 2*maxRefused)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	return accepted
}

func dial(t *testing.T, listener *Listener) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// isRefused reports whether a connection that was accepted is one that httpx.Refuse has made.
func isRefused(accepted net.Conn) bool {
	_, served := accepted.(*conn)
	return !served
}

func TestAnAddressHasNoMoreConnectionsThanItMay(t *testing.T) {
	t.Parallel()
	listener := listen(t, ConnectionOptions{Total: 100, PerAddress: 2})
	accepted := accepting(t, listener)
	dialNext := func() net.Conn {
		dial(t, listener)
		return <-accepted
	}
	first, second := dialNext(), dialNext()
	require.False(t, isRefused(first))
	require.False(t, isRefused(second))
	beyond := dialNext()
	require.True(t, isRefused(beyond))

	require.NoError(t, first.Close())
	_ = first.Close() // a second time gives nothing back
	third := dialNext()
	require.False(t, isRefused(third))
	another := dialNext()
	require.True(t, isRefused(another), "still no more than two")
	for _, conn := range []net.Conn{second, third, beyond, another} {
		require.NoError(t, conn.Close())
	}
	require.Empty(t, listener.networks)
	require.Zero(t, listener.total)
	require.Zero(t, listener.refused)
}

func TestRefusalsAreBoundedToo(t *testing.T) {
	t.Parallel()
	listener := listen(t, ConnectionOptions{Total: 100, PerAddress: 1})
	accepted := accepting(t, listener)
	dial(t, listener)
	require.False(t, isRefused(<-accepted))
	var refused net.Conn
	for range maxRefused {
		dial(t, listener)
		refused = <-accepted
		require.True(t, isRefused(refused))
	}
	rest, err := io.ReadAll(dial(t, listener))
	require.NoError(t, err, "closed without a word")
	require.Empty(t, rest)
	require.NoError(t, refused.Close())
	dial(t, listener)
	require.True(t, isRefused(<-accepted))
}

func TestTrustedProxiesAreBoundByTheTotalOnly(t *testing.T) {
	t.Parallel()
	var trusted forwarded.Proxies
	require.NoError(t, trusted.UnmarshalText([]byte("127.0.0.1")))
	listener := listen(t, ConnectionOptions{Total: 3, PerAddress: 1, Trusted: trusted})
	accepted := accepting(t, listener)
	for range 3 {
		dial(t, listener)
		<-accepted
	}
	dial(t, listener)
	require.True(t, isRefused(<-accepted))
}

func TestAddressesOfOneIPv6NetworkCountTogether(t *testing.T) {
	t.Parallel()
	listener := Connections(nil, ConnectionOptions{Total: 100, PerAddress: 1})
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8::1")))
	require.False(t, listener.enter(netip.MustParseAddr("2001:db8::2")))
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8:0:1::2")))
	listener.leave(netip.MustParseAddr("2001:db8::1"))
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8::2")))
}
