package httpx_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// refusing is a listener whose connections are all beyond a limit.
type refusing struct{ net.Listener }

func (r refusing) Accept() (net.Conn, error) {
	conn, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return httpx.Refuse(conn, fault.NewTooManyRequests(time.Second)), nil
}

// early are requests that are refused long before their client has sent them, with the status of the refusal.
func early() map[string]struct {
	request string
	status  int
} {
	const post, much = "POST /echo HTTP/1.1\r\nHost: x\r\n", 1 << 20
	many := strings.Repeat("x", much)
	return map[string]struct {
		request string
		status  int
	}{
		"a header":               {post + "X: " + many + "\r\n\r\n", 400},
		"a header without end":   {post + "X: " + many, 400},
		"many headers":           {post + strings.Repeat("X: y\r\n", much/6) + "\r\n", 400},
		"a URL":                  {"GET /" + many + " HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"a method":               {many + " / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"a very large body":      {post + "Content-Length: 8388608\r\n\r\n" + strings.Repeat(many, 8), 413},
		"a body":                 {post + "Content-Length: 1048576\r\n\r\n" + many, 413},
		"chunks":                 {post + "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + many + "\r\n0\r\n\r\n", 413},
		"an endless chunk":       {post + "Transfer-Encoding: chunked\r\n\r\n1;" + many, 400},
		"what follows two sizes": {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + many, 400},
		"what follows a bare LF": {"GET / HTTP/1.1\nHost: x\r\n\r\n" + many, 400},
		"what was not asked for": {post + "Expect: 100-continue\r\nContent-Length: 1048576\r\n\r\n" + many, 413},
		"what follows a tea":     {post + "Expect: tea\r\nContent-Length: 1048576\r\n\r\n" + many, 417},
		"what follows nonsense":  {"nonsense\r\n\r\n" + many, 400},
	}
}

func TestAClientThatIsRefusedWhileItSendsCanReadWhy(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for name, test := range early() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				conn := server.send(t, test.request) // it reads nothing before all is sent
				require.Equal(t, test.status, readToEnd(t, conn))
			}
		})
	}
}

// readToEnd reads one answer and the end of the connection.
func readToEnd(t *testing.T, conn net.Conn) int {
	t.Helper()
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	got := readAnswer(t, response)
	got.problem(t)
	_, err = reader.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the server ends its side")
	require.NoError(t, conn.Close())
	return got.status
}

func TestAConnectionBeyondALimitIsToldSoWhateverItSends(t *testing.T) {
	t.Parallel()
	server := startOn(t, refusing{listen(t)}, nil, echo)
	const post = "POST /echo HTTP/1.1\r\nHost: x\r\n"
	for name, request := range map[string]string{
		"no body":       "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
		"a body":        post + "Content-Length: 3\r\n\r\nabc",
		"a promise":     post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
		"and much more": post + "Content-Length: 3\r\n\r\nabc" + strings.Repeat("x", 1<<20),
	} {
		conn := server.send(t, request)
		require.Equal(t, http.StatusTooManyRequests, readToEnd(t, conn), name)
	}
	silent := server.send(t, "GET /echo HTTP/1.1\r\n")
	_, err := io.ReadAll(silent)
	require.NoError(t, err, "it may not take long")
	require.NoError(t, silent.Close())
}

func TestWhoeverIsRefusedOverTLSCanReadWhy(t *testing.T) {
	t.Parallel()
	config, trusting := certified(t)
	served := startOn(t, httpx.Encrypted(listen(t), config), nil, echo)
	beyond := startOn(t, httpx.Encrypted(refusing{listen(t)}, config), nil, echo)
	for name, test := range early() {
		require.Equal(t, test.status, readToEnd(t, overTLS(t, served.addr, trusting, test.request)), name)
	}
	require.Equal(t, http.StatusTooManyRequests, readToEnd(t, overTLS(t, beyond.addr, trusting, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")))
}

func overTLS(t *testing.T, addr string, config *tls.Config, text string) net.Conn {
	t.Helper()
	conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}
