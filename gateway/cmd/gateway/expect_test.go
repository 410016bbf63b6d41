package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestABodyIsAskedForOnlyOnceTheGatewayWouldPassItOn(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	asked := make(chan string, 10)
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		asked <- string(body)
		w.WriteHeader(http.StatusCreated)
	}
	n.env["RATE_LIMIT_MEMBER"] = "1/2"
	where := startReady(t, n)
	const expecting = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	good := "Authorization: Token " + n.issuer.Token(t, 7, 70) + "\r\n"
	other := "Authorization: Token " + n.issuer.Token(t, 8, 80) + "\r\n"
	for _, test := range []struct {
		name, head string
		status     int
	}{
		{"no such path", "POST /nowhere" + expecting + good + "Content-Length: 3\r\n\r\n", 404},
		{"no token", "POST /orders/" + expecting + "Content-Length: 3\r\n\r\n", 401},
		{"a bad token", "POST /orders/" + expecting + "Authorization: Token x\r\nContent-Length: 3\r\n\r\n", 401},
		{"no such method", "DELETE /orders/" + expecting + other + "Content-Length: 3\r\n\r\n", 405},
		{"too large", "POST /orders/" + expecting + good + "Content-Length: 65537\r\n\r\n", 413},
		{"another expectation", "POST /orders/ HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n" + good + "Content-Length: 3\r\n\r\n", 417},
		{"wanted", "POST /orders/" + expecting + good + "Content-Length: 3\r\n\r\n", 100},
		{"wanted, the second and last of this member", "POST /orders/" + expecting + good + "Content-Length: 3\r\n\r\n", 100},
		{"over the member's limit", "POST /orders/" + expecting + good + "Content-Length: 3\r\n\r\n", 429},
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", where.public.String())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(conn, test.head)
		require.NoError(t, err)
		reader := bufio.NewReader(conn)
		answer, err := http.ReadResponse(reader, nil)
		require.NoError(t, err, test.name)
		require.Equal(t, test.status, answer.StatusCode, test.name)
		if test.status == http.StatusContinue {
			_, err = io.WriteString(conn, "{}\n")
			require.NoError(t, err)
			answer, err = http.ReadResponse(reader, nil)
			require.NoError(t, err, test.name)
			require.Equal(t, http.StatusCreated, answer.StatusCode, test.name)
			require.Equal(t, "{}\n", <-asked)
		}
		require.Equal(t, []string{"no-store"}, answer.Header.Values("Cache-Control"), test.name)
		require.Len(t, answer.Header.Values("RateLimit"), 1, test.name)
		require.NoError(t, answer.Body.Close())
		require.NoError(t, conn.Close())
	}
	require.Empty(t, asked)
}
