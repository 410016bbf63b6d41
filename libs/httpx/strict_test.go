package httpx_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// second follows every hostile request on its connection. It is never to be answered.
const second = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nsecond"

// ambiguousRequests are read differently by different servers.
func ambiguousRequests() map[string]string {
	const post = "POST /echo HTTP/1.1\r\nHost: x\r\n"
	const chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
	return map[string]string{
		"length, then chunks":           post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks, then length":           post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		"length and identity":           post + "Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}",
		"identity":                      post + "Transfer-Encoding: identity\r\n\r\n",
		"two encodings":                 post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"list of encodings":             post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"unknown encoding":              post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"quoted encoding":               post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"encoding behind a control":     post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
		"encoding in HTTP/1.0":          "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"encoding in HTTP/1.0, kept":    "POST /echo HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"blank before the colon":        post + "Content-Length : 5\r\n\r\nhello",
		"tab before the colon":          post + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
		"blank in a name":               post + "X Y: z\r\nContent-Length: 0\r\n\r\n",
		"name of no letters":            post + ": x\r\nContent-Length: 0\r\n\r\n",
		"name that is no token":         post + "X(y): z\r\nContent-Length: 0\r\n\r\n",
		"no colon":                      post + "x\r\nContent-Length: 0\r\n\r\n",
		"two lengths":                   post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
		"one length twice":              post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"list of lengths":               post + "Content-Length: 5, 5\r\n\r\nhello",
		"length with a plus":            post + "Content-Length: +5\r\n\r\nhello",
		"negative length":               post + "Content-Length: -5\r\n\r\nhello",
		"hexadecimal length":            post + "Content-Length: 0x5\r\n\r\nhello",
		"length with an underscore":     post + "Content-Length: 1_0\r\n\r\nhello",
		"empty length":                  post + "Content-Length:\r\n\r\n",
		"length beyond 64 bits":         post + "Content-Length: 18446744073709551621\r\n\r\nhello",
		"two hosts":                     post + "Host: y\r\nContent-Length: 0\r\n\r\n",
		"two types":                     post + "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n",
		"one type twice":                post + "Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n",
		"one host twice":                post + "Host: x\r\nContent-Length: 0\r\n\r\n",
		"no host":                       "POST /echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
		"folded line":                   post + "X: y\r\n z\r\nContent-Length: 0\r\n\r\n",
		"length behind a fold":          post + "X: y\r\n Content-Length: 40\r\nContent-Length: 0\r\n\r\n",
		"fold before the first line":    "POST /echo HTTP/1.1\r\n Host: x\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"LF after the request line":     "POST /echo HTTP/1.1\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"LF after a header":             post + "X: y\nContent-Length: 0\r\n\r\n",
		"LF everywhere":                 "POST /echo HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
		"LF before the empty line":      post + "Content-Length: 0\n\r\n",
		"LF as the empty line":          post + "Content-Length: 0\r\n\n",
		"CR alone":                      post + "X: y\rContent-Length: 5\r\n\r\n",
		"two CRs":                       post + "X: y\r\r\nContent-Length: 0\r\n\r\n",
		"NUL in a value":                post + "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
		"NUL in a name":                 post + "X\x00: a\r\nContent-Length: 0\r\n\r\n",
		"NUL in the path":               "POST /echo\x00 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/0.9":                      "POST /echo\r\n",
		"HTTP/2.0":                      "POST /echo HTTP/2.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.2":                      "POST /echo HTTP/1.2\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"two versions":                  "POST /echo HTTP/1.1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"chunk size with a prefix":      chunked + "0x5\r\nhello\r\n0\r\n\r\n",
		"chunk size with a sign":        chunked + "+5\r\nhello\r\n0\r\n\r\n",
		"negative chunk size":           chunked + "-5\r\nhello\r\n0\r\n\r\n",
		"empty chunk size":              chunked + "\r\nhello\r\n0\r\n\r\n",
		"chunk size beyond 64 bits":     chunked + "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"chunk size of 64 bits":         chunked + "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"chunk longer than its size":    chunked + "5\r\nhello!\r\n0\r\n\r\n",
		"chunks with LF":                chunked + "5\nhello\n0\n\n",
		"chunk extension with LF":       chunked + "5;a\nhello\r\n0\r\n\r\n",
		"length in a trailer":           chunked + "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
		"encoding in a trailer":         chunked + "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		"endless chunk extension":       chunked + "5;" + strings.Repeat("a", 1<<20) + "\r\nhello\r\n0\r\n\r\n",
		"endless trailers":              chunked + "0\r\n" + strings.Repeat("X: y\r\n", 1<<15) + "\r\n",
		"endless header":                post + "X: " + strings.Repeat("y", 1<<20),
		"endless path":                  "POST /" + strings.Repeat("y", 1<<20),
		"endless method":                strings.Repeat("y", 1<<20),
		"endless version":               "POST /echo HTTP/1." + strings.Repeat("1", 1<<20),
		"endless body":                  post + fmt.Sprintf("Content-Length: %d\r\n\r\n", 1<<40) + strings.Repeat("y", 1<<20),
		"another protocol":              "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"method with a control":         "PO\x01ST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"upgrade to HTTP/2 by preface":  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"length and chunks, with a dot": post + "Content-Length: 5\r\nTransfer-Encoding: chunked.\r\n\r\n0\r\n\r\n",
	}
}

func TestAmbiguousRequestsAreRefusedAndNothingBehindThemIsAnswered(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	server := start(t, nil, func(app *fiber.App) {
		app.Post("/echo", func(c *fiber.Ctx) error {
			reached.Add(1)
			return c.SendString("reached")
		})
	})
	for name, request := range ambiguousRequests() {
		statuses := converse(t, name, server.addr, request+second)
		require.LessOrEqual(t, len(statuses), 1, name)
		for _, status := range statuses {
			require.True(t, 400 <= status && status < 500, "%s: %d", name, status)
		}
		require.Zero(t, reached.Load(), name)
	}
}

// converse sends bytes and returns the statuses of the answers that come until the server closes the connection.
func converse(t *testing.T, name, addr, sent string) []int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	// A server that has seen enough closes while more is on its way; that is no failure.
	go func() { _, _ = io.WriteString(conn, sent) }()
	var statuses []int
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			var timeout net.Error
			require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "%s: the connection stays open", name)
			return statuses
		}
		_, _ = io.Copy(io.Discard, response.Body)
		statuses = append(statuses, response.StatusCode)
	}
}

func TestBodiesMayHoldWhatHeadersMayNot(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Post("/echo", func(c *fiber.Ctx) error { return c.Send(c.Body()) })
	})
	const body = "{\n\t\"a\": \"HTTP/1.1\",\n\"b\": \"HTTP/1.1 \"\n}\n"
	require.Zero(t, strings.Compare(body, server.do(t, http.MethodPost, "/echo", body).body))
	got := server.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{\n\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n")
	require.Equal(t, "{\n}", got.body)
}

// trickle sends one byte at a time until the server closes the connection.
func trickle(t *testing.T, addr, begin string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, begin)
	require.NoError(t, err)
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	}()
	for {
		select {
		case <-closed:
			return
		case <-time.After(20 * time.Millisecond):
			_, _ = io.WriteString(conn, "a")
		}
	}
}

func TestASlowClientHoldsItsConnectionNoLongerThanTheReadTimeout(t *testing.T) {
	t.Parallel()
	const limit = 400 * time.Millisecond
	server := start(t, func(options *httpx.Options) { options.ReadTimeout = limit }, echo)
	for name, begin := range map[string]string{
		"nothing":          "",
		"request line":     "GET /",
		"headers":          "GET /echo HTTP/1.1\r\nHost: x\r\nX: ",
		"body":             "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n",
		"chunk extension":  "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
		"chunk":            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
		"promised body":    "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 60000\r\n\r\n",
		"a second request": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trickle(t, server.addr, begin)
		})
	}
}
