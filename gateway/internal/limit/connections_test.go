package limit

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/gateway/internal/testkit"
)

// setup is a listener of a test, with a clock that the test sets.
func setup(listener net.Listener, options ConnectionOptions) (*Listener, *testkit.Clock) {
	clock := testkit.Noon()
	options.Metrics, options.Now = prometheus.NewRegistry(), clock.Now
	return Connections(listener, options), clock
}

func listen(t *testing.T, options ConnectionOptions) (*Listener, *testkit.Clock) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	limited, clock := setup(listener, options)
	t.Cleanup(func() { _ = limited.Close() })
	return limited, clock
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
	listener, _ := listen(t, ConnectionOptions{Total: 100, PerAddress: 2})
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
	require.Zero(t, listener.places.Used())
	require.Zero(t, listener.refused)
}

func TestRefusalsAreBoundedToo(t *testing.T) {
	t.Parallel()
	listener, _ := listen(t, ConnectionOptions{Total: 100, PerAddress: 1})
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
	listener, _ := listen(t, ConnectionOptions{Total: 3, PerAddress: 1, Trusted: trusted})
	accepted := accepting(t, listener)
	for range 3 {
		dial(t, listener)
		<-accepted
	}
	dial(t, listener)
	require.True(t, isRefused(<-accepted))
}

// remote is a connection from an address.
type remote struct {
	net.Conn

	address string
}

func (r remote) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(r.address)} }

func TestAddressesOfOneIPv6HouseholdCountTogether(t *testing.T) {
	t.Parallel()
	listener, _ := setup(nil, ConnectionOptions{Total: 100, PerAddress: 1})
	enter := func(address string) (*conn, error) {
		served := &conn{Conn: remote{address: address}}
		return served, listener.enter(served)
	}
	first, err := enter("2001:db8::1")
	require.NoError(t, err)
	for _, address := range []string{"2001:db8::2", "2001:db8:0:1::2", "2001:db8:0:ff:ffff::"} { // in one /56
		_, err = enter(address)
		require.Error(t, err, address)
	}
	_, err = enter("2001:db8:0:100::2")
	require.NoError(t, err)
	first.leave()
	_, err = enter("2001:db8::2")
	require.NoError(t, err)
}

func TestTheLongestIdleConnectionOfTheNetworkThatHasMostMakesRoom(t *testing.T) {
	t.Parallel()
	listener, clock := listen(t, ConnectionOptions{Total: 8})
	accepted := accepting(t, listener)
	// Each network is one address of this machine.
	idle := map[string][]net.Conn{}
	dialFrom := func(address string) net.Conn {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		client, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, client.SetDeadline(time.Now().Add(time.Minute)))
		t.Cleanup(func() { _ = client.Close() })
		served := <-accepted
		require.False(t, isRefused(served))
		go func() { _, _ = served.Read(make([]byte, 1)) }() // as a server does that waits for a request
		require.Eventually(t, func() bool { return !served.(*conn).StalledSince().IsZero() }, time.Minute, time.Millisecond)
		clock.Advance(time.Second)
		idle[address] = append(idle[address], client)
		return client
	}
	for _, address := range []string{"127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.4", "127.0.0.5"} {
		dialFrom(address)
	}
	for _, next := range []string{"127.0.0.6", "127.0.0.2"} {
		dialFrom(next)
		oldest := idle["127.0.0.2"][0]
		idle["127.0.0.2"] = idle["127.0.0.2"][1:]
		_, err := oldest.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, next)
	}
	require.Equal(t, 8, listener.places.Used())
}
