package httpx_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// deciding starts a server that refuses by the head whoever does not come with a token, and counts how often it decides.
func deciding(t *testing.T, first, decided *atomic.Int32) *server {
	t.Helper()
	return start(t, func(options *httpx.Options) {
		options.First = []fiber.Handler{func(*fiber.Ctx) error {
			first.Add(1)
			return nil
		}}
		options.Decide = []fiber.Handler{func(c *fiber.Ctx) error {
			decided.Add(1)
			if c.Get("Authorization") == "" {
				return fault.New(fault.Unauthenticated, "No.", nil)
			}
			c.Locals("decided", "yes")
			return nil
		}}
	}, func(app *fiber.App) {
		app.All("/echo", func(c *fiber.Ctx) error {
			return c.SendString(fmt.Sprintf("%v %s %s", c.Locals("decided"), httpx.Method(c), c.Body()))
		})
	})
}

const (
	expecting = "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
	known     = "Authorization: Token x\r\n"
)

func TestWhoeverIsRefusedByTheHeadHearsSoInsteadOfBeingAskedForTheBody(t *testing.T) {
	t.Parallel()
	var first, decided atomic.Int32
	server := deciding(t, &first, &decided)
	for name, test := range map[string]struct {
		head   string
		status int
	}{
		"no token":               {expecting + "Content-Length: 10\r\n\r\n", 401},
		"no token, chunks":       {expecting + "Transfer-Encoding: chunked\r\n\r\n", 401},
		"no token, other method": {strings.Replace(expecting, "POST", "BREW", 1) + "Content-Length: 10\r\n\r\n", 401},
		"too large":              {expecting + known + "Content-Length: 65537\r\n\r\n", 413},
		"far too large":          {expecting + known + "Content-Length: 99999999999\r\n\r\n", 413},
		"two readings":           {expecting + known + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
		"compressed":             {expecting + known + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n", 415},
		"no text":                {strings.Replace(expecting, "/echo", "/%ff", 1) + known + "Content-Length: 10\r\n\r\n", 400},
		"a folded expectation":   {strings.Replace(expecting, ": 100", ":\r\n 100", 1) + known + "Content-Length: 10\r\n\r\n", 400},
	} {
		got := server.raw(t, test.head)
		require.Equal(t, test.status, got.status, name)
		require.Equal(t, "close", got.header.Get("Connection"), name)
		require.NotEmpty(t, got.header.Get("X-Request-Id"), name)
		got.problem(t)
	}
}

func TestWhatFollowsAHeadThatWasRefusedIsNotTakenForARequest(t *testing.T) {
	t.Parallel()
	var first, decided atomic.Int32
	server := deciding(t, &first, &decided)
	statuses := converse(t, "refused", server.addr, expecting+"Content-Length: 200\r\n\r\n"+strings.Replace(second, "Host", known+"Host", 1))
	require.Equal(t, []int{http.StatusUnauthorized}, statuses)
	require.EqualValues(t, 1, decided.Load())
}

func TestABodyIsAskedForOnceItsHeadIsDecidedOnAndTheDecisionIsMadeOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ head, body, want string }{
		"length":       {expecting + known + "Content-Length: 3\r\n\r\n", "abc", "yes POST abc"},
		"chunks":       {expecting + known + "Transfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "yes POST abc"},
		"another case": {strings.Replace(expecting, "100-c", "100-C", 1) + known + "Content-Length: 1\r\n\r\n", "a", "yes POST a"},
		"said twice":   {expecting + "Expect: 100-continue,\r\n" + known + "Content-Length: 1\r\n\r\n", "a", "yes POST a"},
		"other method": {strings.Replace(expecting, "POST", "BREW", 1) + known + "Content-Length: 1\r\n\r\n", "a", "yes BREW a"},
		"large": {
			expecting + known + fmt.Sprintf("Content-Length: %d\r\n\r\n", httpx.BodyLimit),
			strings.Repeat("a", httpx.BodyLimit), "yes POST " + strings.Repeat("a", httpx.BodyLimit),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first, decided atomic.Int32
			server := deciding(t, &first, &decided)
			conn := server.send(t, test.head)
			defer conn.Close()
			reader := bufio.NewReader(conn)
			for range 2 { // the connection goes on
				require.Equal(t, http.StatusContinue, readNext(t, reader, conn, "").status)
				got := readNext(t, reader, conn, test.body)
				require.Equal(t, http.StatusOK, got.status)
				require.Equal(t, test.want, got.body)
				_, err := io.WriteString(conn, test.head)
				require.NoError(t, err)
			}
			require.Equal(t, http.StatusContinue, readNext(t, reader, conn, "").status)
			require.EqualValues(t, 3, first.Load())
			require.EqualValues(t, 3, decided.Load())
			require.Equal(t, 2, strings.Count(server.logs.String(), `"msg":"request"`), "asking for a body is no answer")
		})
	}
}

// readNext sends text and reads one answer.
func readNext(t *testing.T, reader *bufio.Reader, conn net.Conn, text string) answer {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	return readAnswer(t, response)
}

func TestABodyThatIsAskedForAndIsNotAsAnnouncedIsRefused(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for body, status := range map[string]int{"xyz\r\n": 400, "10001\r\n": 413} {
		conn := server.send(t, expecting+"Transfer-Encoding: chunked\r\n\r\n")
		reader := bufio.NewReader(conn)
		require.Equal(t, http.StatusContinue, readNext(t, reader, conn, "").status)
		require.Equal(t, status, readNext(t, reader, conn, body).status)
		require.NoError(t, conn.Close())
	}
}

func TestAnExpectationThatIsNotKnownIsRefusedBeforeTheBody(t *testing.T) {
	t.Parallel()
	var first, decided atomic.Int32
	server := deciding(t, &first, &decided)
	for _, expectation := range []string{
		"tea", "200-ok", "100-continue, tea", "tea, 100-continue", "100-continue\r\nExpect: tea", "tea\r\nExpect: 100-continue",
		"\r\nExpect: tea", "100-continue=yes", "100-continued",
	} {
		for _, body := range []string{"Content-Length: 10\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", "\r\n"} {
			got := server.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\n"+known+"Expect: "+expectation+"\r\n"+body)
			require.Equal(t, http.StatusExpectationFailed, got.status, expectation)
			require.Equal(t, "urn:oms:fault:expectation_failed", got.problem(t)["type"], expectation)
		}
	}
	require.Zero(t, decided.Load())
}

func TestAnExpectationThatSaysNothingOrComesFromHTTP10IsIgnored(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for _, head := range []string{
		"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: \r\nContent-Length: 3\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: ,\r\nContent-Length: 3\r\n\r\n",
		"POST /echo HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
		"POST /echo HTTP/1.0\r\nHost: x\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n",
	} {
		got := server.raw(t, head+"abc")
		require.Equal(t, http.StatusOK, got.status, head)
		require.Equal(t, "3", got.body, head)
	}
}
