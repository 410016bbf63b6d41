package httpx_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/handover"
	"oms.internal/libs/httpx"
)

// keepPort keeps a free port until the test ends and returns the path at which it is given away.
func keepPort(t *testing.T) (path, address string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "port")
	free := listen(t)
	require.NoError(t, free.Close())
	keeper, err := handover.Keep(t.Context(), free.Addr().String(), path)
	require.NoError(t, err)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- keeper.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return path, keeper.Addr().String()
}

func TestAServerAndItsSuccessorAtAKeptPortFailNoRequest(t *testing.T) {
	t.Parallel()
	path, address := keepPort(t)
	serve := func(port *httpx.Port, name string) (end func()) {
		listener, err := port.ListenOr(port.Beside())
		require.NoError(t, err)
		app := httpx.New(httpx.Options{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute})
		app.Get("/", func(c *fiber.Ctx) error { return c.SendString(name) })
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 2)
		go func() { ended <- port.Hold(ctx) }()
		go func() { ended <- httpx.Serve(ctx, app, listener, httpx.Drain{Time: 50 * time.Millisecond}) }()
		return func() {
			cancel()
			require.NoError(t, errors.Join(<-ended, <-ended))
		}
	}
	taken := func() *httpx.Port {
		port, err := take(path, false)
		require.NoError(t, err)
		require.Equal(t, address, port.Addr().String())
		return port
	}
	first := taken()
	require.False(t, first.Beside())
	end := serve(first, "0")

	// Clients with a connection for each request ask all the time.
	var asked, failed atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	const clients = 4
	for range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				response, err := client.Get("http://" + address)
				if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusOK {
					failed.Add(1)
				}
				asked.Add(1)
			}
		}()
	}
	goesOn := func() {
		before := asked.Load()
		require.Eventually(t, func() bool { return asked.Load() > before+50 }, time.Minute, time.Millisecond)
	}
	for successor := range 5 {
		goesOn()
		port := taken()
		require.True(t, port.Beside())
		endNext := serve(port, strconv.Itoa(successor+1))
		goesOn()
		end()
		end = endNext
	}
	goesOn()
	close(stop)
	for range clients {
		<-done
	}
	require.Zero(t, failed.Load())
	end()
}

func TestAKeptPortHasTheBuffersOfOneThatTheProcessTookItself(t *testing.T) {
	t.Parallel()
	path, _ := keepPort(t)
	port, err := take(path, false)
	require.NoError(t, err)
	listener, err := port.Listen()
	require.NoError(t, err)
	defer listener.Close()
	requireBuffers(t, listener)
}

func TestAKeptPortThatNobodyKeepsIsAnError(t *testing.T) {
	t.Parallel()
	_, _, err := httpx.TakeBoth(filepath.Join(t.TempDir(), "port"), "127.0.0.1:0", false)
	require.ErrorContains(t, err, "HTTP_ADDR")
	require.ErrorIs(t, err, syscall.ENOENT)
}

func requireBuffers(t *testing.T, listener net.Listener) {
	t.Helper()
	require.NoError(t, connect(t, listener.Addr().String()))
	accepted, err := listener.Accept()
	require.NoError(t, err)
	defer accepted.Close()
	raw, err := accepted.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(descriptor uintptr) {
		for option, size := range map[int]int{syscall.SO_SNDBUF: 96 << 10, syscall.SO_RCVBUF: 64 << 10} {
			got, err := syscall.GetsockoptInt(int(descriptor), syscall.SOL_SOCKET, option)
			require.NoError(t, err)
			require.Equal(t, size, got, "with what Linux adds for its own records")
		}
	}))
}
