package conns

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/client"
)

func listen(t *testing.T, options Options) *Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	limited := Limit(listener, options)
	t.Cleanup(func() { _ = limited.Close() })
	return limited
}

// accepting hands over what a listener accepts.
func accepting(t *testing.T, listener *Listener) <-chan net.Conn {
	t.Helper()
	accepted := make(chan net.Conn, 10)
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
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const refusal = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

func TestAnAddressHasNoMoreConnectionsThanItMay(t *testing.T) {
	t.Parallel()
	listener := listen(t, Options{Total: 100, PerAddress: 2, Refusal: []byte(refusal)})
	accepted := accepting(t, listener)
	for range 2 {
		dial(t, listener)
	}
	first, second := <-accepted, <-accepted

	response, err := http.ReadResponse(bufio.NewReader(dial(t, listener)), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)

	require.NoError(t, first.Close())
	_ = first.Close() // a second time gives nothing back
	dial(t, listener)
	third := <-accepted
	_, err = http.ReadResponse(bufio.NewReader(dial(t, listener)), nil)
	require.NoError(t, err, "still no more than two")
	require.NoError(t, second.Close())
	require.NoError(t, third.Close())
	require.Empty(t, listener.networks)
	require.Zero(t, listener.total)
}

func TestTrustedProxiesAreBoundByTheTotalOnly(t *testing.T) {
	t.Parallel()
	var trusted client.Proxies
	require.NoError(t, trusted.UnmarshalText([]byte("127.0.0.1")))
	listener := listen(t, Options{Total: 3, PerAddress: 1, Trusted: trusted})
	accepted := accepting(t, listener)
	for range 3 {
		dial(t, listener)
		<-accepted
	}
	rest, err := io.ReadAll(dial(t, listener))
	require.NoError(t, err, "closed without a word, as under TLS")
	require.Empty(t, rest)
}

func TestAddressesOfOneIPv6NetworkCountTogether(t *testing.T) {
	t.Parallel()
	listener := Limit(nil, Options{Total: 100, PerAddress: 1})
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8::1")))
	require.False(t, listener.enter(netip.MustParseAddr("2001:db8::2")))
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8:0:1::2")))
	listener.leave(netip.MustParseAddr("2001:db8::1"))
	require.True(t, listener.enter(netip.MustParseAddr("2001:db8::2")))
}
