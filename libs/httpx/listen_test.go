package httpx_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// late is a listener that accepts nothing before its end has begun.
type late struct {
	net.Listener
	ending chan struct{}
}

func (l late) Accept() (net.Conn, error) {
	<-l.ending
	return l.Listener.Accept()
}

func (l late) Close() error {
	select {
	case <-l.ending:
	default:
		close(l.ending)
	}
	return l.Listener.Close()
}

func listenPatiently(t *testing.T) net.Listener {
	t.Helper()
	port, err := take("127.0.0.1:0", false)
	require.NoError(t, err)
	listener, err := port.Listen()
	require.NoError(t, err)
	return listener
}

func TestAClientThatHasConnectedIsAnsweredAlthoughNobodyHadAcceptedItBeforeTheEnd(t *testing.T) {
	t.Parallel()
	listener := listenPatiently(t)
	server := startOn(t, late{listener, make(chan struct{})}, nil, echo)
	const clients = 100
	var waiting []net.Conn
	for range clients {
		client := server.send(t, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
		defer client.Close()
		waiting = append(waiting, client)
	}
	server.stop()
	for _, client := range waiting {
		answer, err := http.ReadResponse(bufio.NewReader(client), nil)
		require.NoError(t, err)
		require.Equal(t, "1", readAnswer(t, answer).body)
	}
	require.NoError(t, <-server.ended)
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.addr)
	require.Error(t, err, "nobody may connect any more")
}

func TestAListenerClosesAlsoWhereNobodyAccepts(t *testing.T) {
	t.Parallel()
	listener := listenPatiently(t)
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, listener.Close())
	_, err = listener.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, listener.Close(), net.ErrClosed)
}
