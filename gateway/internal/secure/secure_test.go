package secure

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp/fasthttputil"
)

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	Server(app.Server(), StrictTransport)
	app.Get("/known", func(c *fiber.Ctx) error { return c.SendString("x") })
	app.Get("/kept", func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "public, max-age=60")
		return c.SendString("x")
	})
	listener := fasthttputil.NewInmemoryListener()
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		require.NoError(t, <-ended)
	})
	for name, test := range map[string]struct {
		request string
		status  int
		cache   string
	}{
		"from a handler":                 {"GET /known HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusOK, "no-store"},
		"that says how it may be kept":   {"GET /kept HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusOK, "public, max-age=60"},
		"from no handler":                {"GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusNotFound, "no-store"},
		"to a method that Fiber refuses": {"PROPFIND /known HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusBadRequest, "no-store"},
		"to what cannot be read":         {"GET\r\n\r\n", http.StatusBadRequest, "no-store"},
	} {
		conn, err := listener.Dial()
		require.NoError(t, err, name)
		_, err = io.WriteString(conn, test.request)
		require.NoError(t, err, name)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		require.NoError(t, response.Body.Close())
		require.NoError(t, conn.Close())
		require.Equal(t, test.status, response.StatusCode, name)
		require.Equal(t, test.cache, response.Header.Get("Cache-Control"), name)
		for _, field := range append(slices.Clone(Headers), StrictTransport) {
			if field[0] != "Cache-Control" {
				require.Equal(t, field[1], response.Header.Get(field[0]), "%s: %s", name, field[0])
			}
		}
	}
}

func TestRefusalOfAConnectionIsAWholeAnswer(t *testing.T) {
	t.Parallel()
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(Refusal(http.StatusTooManyRequests, "No."))), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
	require.True(t, response.Close)
	for _, field := range Headers {
		require.Equal(t, field[1], response.Header.Get(field[0]))
	}
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"No."}`, string(body))
}
