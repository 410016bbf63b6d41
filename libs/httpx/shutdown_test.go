package httpx_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// closing is a listener that tells when it has been closed.
type closing struct {
	net.Listener
	once   sync.Once
	closed chan struct{}
}

func listen(t *testing.T) *closing {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return &closing{Listener: listener, closed: make(chan struct{})}
}

func (c *closing) Close() error {
	err := c.Listener.Close()
	c.once.Do(func() { close(c.closed) })
	return err
}

func TestARequestThatHasBegunIsAnsweredDuringTheShutdown(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	begun, release := make(chan struct{}), make(chan struct{})
	server := startOn(t, listener, nil, func(app *fiber.App) {
		app.Get("/", func(c *fiber.Ctx) error {
			close(begun)
			<-release
			if err := c.UserContext().Err(); err != nil {
				return err
			}
			return c.SendString("done")
		})
	})
	answered := make(chan string, 1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.addr+"/", nil)
	require.NoError(t, err)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- err.Error()
			return
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		answered <- string(body)
	}()
	<-begun
	server.stop()
	<-listener.closed
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", server.addr)
	require.Error(t, err, "nobody may connect any more")
	select {
	case err := <-server.ended:
		require.Fail(t, "Serve returned before the request was answered", "%v", err)
	default:
	}
	close(release)
	require.Equal(t, "done", <-answered)
	require.NoError(t, <-server.ended)
}

func TestIdleConnectionsDoNotDelayTheShutdown(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	server.do(t, http.MethodGet, "/", "") // the client keeps this connection
	began := time.Now()
	server.stop()
	require.NoError(t, <-server.ended)
	require.Less(t, time.Since(began), 30*time.Second, "an idle connection lasts for 75 seconds")
}

func TestServeLeavesNoListenerBehindWhenItIsStoppedBeforeItBegan(t *testing.T) {
	t.Parallel()
	for range 20 {
		listener := listen(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		app := httpx.New(httpx.Options{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Second})
		require.NoError(t, httpx.Serve(ctx, app, listener, httpx.Drain{}))
		_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		require.Error(t, err)
	}
}

// broken is a listener that accepts nothing.
type broken struct{ net.Listener }

var errBroken = errors.New("broken")

func (broken) Accept() (net.Conn, error) { return nil, errBroken }

func TestServeReportsAListenerThatFails(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, <-startOn(t, broken{listen(t)}, nil, nil).ended, errBroken)
}
