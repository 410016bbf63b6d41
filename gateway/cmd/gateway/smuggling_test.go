package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hidden is what an attacker wants to be taken for a request of its own, or for a part of someone else's. It follows
// each request below on the same connection. Where the request before it is whole, it is one, and rightly so.
const hidden = "POST /auth/login?hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

const login = "POST /auth/login HTTP/1.1\r\nHost: a\r\n"

// ambiguous requests are read differently by different servers. They are refused, and the connection is closed. These are
// one of each kind; libs/httpx has all of them.
var ambiguous = map[string]string{
	"two lengths":                  login + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
	"length and encoding":          login + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	"unknown encoding":             login + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"blank before the colon":       login + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	"bare LF after the first line": "POST /auth/login HTTP/1.1\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
	"folded line":                  login + "Content-Length: 2\r\nX: y\r\n Content-Length: 40\r\n\r\n{}",
	"chunk size with a prefix":     login + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
	"framing in a trailer":         login + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
	"host with a blank":            "POST /auth/login HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\n{}",
	"host with a path":             "POST /auth/login HTTP/1.1\r\nHost: a/b\r\nContent-Length: 2\r\n\r\n{}",
	"preface of HTTP/2":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}

// wellDefined requests have one meaning, however odd they look. What has two by any reading is not among them. got is what reaches the service: this and nothing else.
var wellDefined = map[string]struct {
	request string
	got     []string
}{
	"chunk extension":       {login + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n", []string{" {}", "hidden "}},
	"identity in a trailer": {login + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nOms-Principal: x\r\n\r\n", []string{" {}", "hidden "}},
	"change to HTTP/2":      {login + "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}", []string{" {}", "hidden "}},
	"body of a read":        {"GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nPOST ", []string{"hidden "}},
	"lines before":          {"\r\n\r\n" + login + "Content-Length: 2\r\n\r\n{}", []string{" {}", "hidden "}},
}

// startListening runs a gateway whose accounts tells what it gets: the query and the body.
func startListening(t *testing.T) (addresses, <-chan string) {
	t.Helper()
	n := newNeighbours(t)
	got := make(chan string, 100)
	n.accounts = func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		got <- request.URL.RawQuery + " " + string(body)
	}
	return startReady(t, n), got
}

// converse sends bytes and returns the statuses of the answers that come until the gateway closes the connection.
func converse(t *testing.T, where addresses, sent string) []int {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", where.public.String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, sent)
	require.NoError(t, err)
	var statuses []int
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			var timeout net.Error
			require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the connection stays open")
			return statuses
		}
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		statuses = append(statuses, response.StatusCode)
	}
}

func drain(got <-chan string) []string {
	var all []string
	for {
		select {
		case one := <-got:
			all = append(all, one)
		default:
			return all
		}
	}
}

func TestAmbiguousRequestIsRefusedAndEndsTheConnection(t *testing.T) {
	t.Parallel()
	where, got := startListening(t)
	for name, request := range ambiguous {
		require.Equal(t, []int{http.StatusBadRequest}, converse(t, where, request+hidden), name)
		require.Empty(t, drain(got), name)
	}
}

func TestServiceGetsExactlyWhatTheClientSent(t *testing.T) {
	t.Parallel()
	where, got := startListening(t)
	for name, test := range wellDefined {
		converse(t, where, test.request+hidden)
		require.Equal(t, test.got, drain(got), name)
	}
}
