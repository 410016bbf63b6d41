package browser

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
	"oms.internal/servers/testservers"
)

const (
	patience = time.Minute
	// stallTime is how long a server waits for a client that sends nothing more.
	stallTime = 3 * time.Second
)

// serve starts a server with the policy, which answers OPTIONS as the gateway does, and returns its address. A request must
// arrive within readTimeout.
func serve(t *testing.T, policy Policy, readTimeout time.Duration) string {
	t.Helper()
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute,
		ReadTimeout: readTimeout, EveryAnswer: policy.Complete,
	})
	app.Options("/orders/", func(c *fiber.Ctx) error {
		c.Set("Allow", "GET, HEAD, OPTIONS, POST")
		return c.SendStatus(http.StatusNoContent)
	})
	app.Get("/orders/", func(c *fiber.Ctx) error { return c.SendString("x") })
	app.Post("/orders/", func(c *fiber.Ctx) error { return c.SendString("x") })
	app.Get("/kept", func(c *fiber.Ctx) error {
		c.Set("Cache-Control", "public, max-age=60")
		return c.SendString("x")
	})
	app.Get("/tagged/:control", func(c *fiber.Ctx) error {
		c.Set("ETag", `"1"`)
		if control := c.Params("control"); control != "-" {
			c.Set("Cache-Control", control)
		}
		return c.SendString("x")
	})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	testservers.Run(t, func(ctx context.Context) error { return httpx.Serve(ctx, app, listener, httpx.Drain{}) })
	return listener.Addr().String()
}

// ask sends text and returns the status and the headers of the answer.
func ask(t *testing.T, address, text string) (int, http.Header) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, response.Header
}

// askSecond sends a request, reads its answer, sends another one, and returns the headers of the answer to that.
func askSecond(t *testing.T, address, first, second string) http.Header {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	reader := bufio.NewReader(conn)
	var header http.Header
	for _, text := range []string{first, second} {
		_, err = io.WriteString(conn, text)
		require.NoError(t, err)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		header = response.Header
	}
	return header
}

func origins(t *testing.T, text string) Origins {
	t.Helper()
	var read Origins
	require.NoError(t, read.UnmarshalText([]byte(text)))
	return read
}
