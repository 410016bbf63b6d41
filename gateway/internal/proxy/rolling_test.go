package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
	"oms.internal/servers/testservers"
)

// ledger counts, for each write, how often an instance received it.
type ledger struct {
	mu       sync.Mutex
	received map[string]int
}

func (l *ledger) add(write string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.received == nil {
		l.received = map[string]int{}
	}
	l.received[write]++
}

func (l *ledger) of(write string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received[write]
}

// outcome is how one request of a load ended.
type outcome struct {
	write  string // "" for a read
	status int
}

// load sends reads and writes in turn from several clients, until stop is called. stop returns how all of them ended.
type load struct {
	answered atomic.Int64
	stop     func() []outcome
}

const clients = 8

func startLoad(t *testing.T, url string) *load {
	t.Helper()
	running := &load{}
	var mu sync.Mutex
	var all []outcome
	var working sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for client := range clients {
		working.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			for i := 0; ctx.Err() == nil; i++ {
				method, write := http.MethodGet, ""
				if i%2 == 1 {
					method, write = http.MethodPost, strconv.Itoa(client)+"-"+strconv.Itoa(i)
				}
				status := send(t, transport, method, url, write)
				running.answered.Add(1)
				mu.Lock()
				all = append(all, outcome{write, status})
				mu.Unlock()
			}
		})
	}
	running.stop = func() []outcome {
		cancel()
		working.Wait()
		return all
	}
	t.Cleanup(func() { running.stop() })
	return running
}

func send(t *testing.T, transport *http.Transport, method, url, body string) int {
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url+"/orders/", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header.Set(httpx.HeaderIdempotencyKey, body)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// await waits until the load has had so many more answers.
func (l *load) await(t *testing.T, more int64) {
	t.Helper()
	from := l.answered.Load()
	require.Eventually(t, func() bool { return l.answered.Load() >= from+more }, 30*time.Second, time.Millisecond)
}

// drained is a real service that ends as on SIGTERM.
type drained struct {
	asked atomic.Int64
	stop  func()
}

func startDrained(t *testing.T, listener net.Listener, received *ledger) *drained {
	t.Helper()
	service := &drained{}
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: 5 * time.Second, TrustRequestID: true,
	})
	app.Use(func(c *fiber.Ctx) error {
		service.asked.Add(1)
		if c.Method() == http.MethodPost && c.Get(httpx.HeaderIdempotencyKey) == string(c.Body()) {
			received.add(string(c.Body()))
		}
		return c.SendString("done")
	})
	service.stop = testservers.Run(t, func(ctx context.Context) error {
		return httpx.Serve(ctx, app, listener, httpx.Drain{Time: 2 * time.Second, Tell: true})
	})
	return service
}

func TestARollingRestartFailsNoRequestMeanwhile(t *testing.T) {
	t.Parallel()
	var received ledger
	first, second := listen(t), listen(t)
	listeners := []net.Listener{first, second}
	services := []*drained{startDrained(t, first, &received), startDrained(t, second, &received)}
	proxy := forwardTo(t, "http://"+first.Addr().String()+" http://"+second.Addr().String(), setup{})
	load := startLoad(t, proxy.url)
	for round := range 2 {
		load.await(t, 150)
		at := round % len(services)
		services[at].stop()
		// A process that starts takes its port, and listens when it can answer.
		port, admin, err := httpx.TakeBoth(listeners[at].Addr().String(), "127.0.0.1:0", false)
		require.NoError(t, err)
		require.NoError(t, admin.Close())
		load.await(t, 150)
		again, err := port.Listen()
		require.NoError(t, err)
		services[at] = startDrained(t, again, &received)
		require.Eventually(t, func() bool { return services[at].asked.Load() > 0 }, 30*time.Second, time.Millisecond, "it is used again")
	}
	outcomes := load.stop()
	for _, each := range outcomes {
		require.Equal(t, http.StatusOK, each.status, each.write)
		if each.write != "" {
			require.Equal(t, 1, received.of(each.write), each.write)
		}
	}
	t.Logf("%d requests, none failed", len(outcomes))
}

// startKilled starts a service that ends as on SIGKILL: all its connections are cut, whatever goes on there.
func startKilled(t *testing.T, received *ledger) (listener net.Listener, kill func()) {
	t.Helper()
	listener = listen(t)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		if request.Method == http.MethodPost && len(body) > 0 {
			received.add(string(body))
		}
	})}
	go func() { _ = server.Serve(listener) }()
	kill = func() { _ = server.Close() }
	t.Cleanup(kill)
	return listener, kill
}

func TestAKillFailsWritesInFlightOnlyAndDoublesNone(t *testing.T) {
	t.Parallel()
	lost := 0
	for range 3 {
		var dying, living ledger
		first, kill := startKilled(t, &dying)
		second, _ := startKilled(t, &living)
		proxy := forwardTo(t, "http://"+first.Addr().String()+" http://"+second.Addr().String(), setup{})
		load := startLoad(t, proxy.url)
		load.await(t, 150)
		kill()
		load.await(t, 150)
		failed := 0
		for _, each := range load.stop() {
			if each.status != http.StatusOK {
				failed++
				require.NotEmpty(t, each.write, "no read fails")
				require.Equal(t, http.StatusServiceUnavailable, each.status)
				require.Zero(t, living.of(each.write), "it was sent to the one that died")
			}
			if each.write != "" {
				require.LessOrEqual(t, dying.of(each.write)+living.of(each.write), 1, "sent twice")
			}
			if each.write != "" && each.status == http.StatusOK {
				require.Equal(t, 1, dying.of(each.write)+living.of(each.write))
			}
		}
		require.LessOrEqual(t, failed, clients, "each client had at most one request in flight")
		lost += failed
	}
	t.Logf("%d writes were in flight in 3 kills", lost)
}
