package lifecycle_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

func TestReadyNamesEveryPartThatIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		part := func(name string, ready func() error) lifecycle.Part {
			return lifecycle.Part{Name: name, Ready: ready, Run: untilEnd}
		}
		answers := map[string]error{"database": errBroken, "nats": errBroken}
		asked := func(name string) func() error { return func() error { return answers[name] } }
		process := newLifecycle(time.Second, part("database", asked("database")), part("http", nil),
			part("worker", asked("worker")), part("nats", asked("nats")))
		cancel, result := start(t, process)
		require.EqualError(t, process.Ready(), "database: broken\nhttp: not started yet\nworker: not started yet\nnats: not started yet")
		time.Sleep(10 * time.Second) //nolint:forbidigo // on the clock of the bubble
		synctest.Wait()
		require.EqualError(t, process.Ready(), "database: broken\nnats: broken")
		answers["database"], answers["nats"] = nil, nil
		require.NoError(t, process.Ready())
		cancel()
		require.NoError(t, <-result)
	})
}

func TestReadyIsFalseFromTheFirstMomentOfTheShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		atStop := make(chan error, 1)
		var process *lifecycle.Lifecycle
		process = newLifecycle(time.Second, lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
			<-ctx.Done()
			atStop <- process.Ready()
			return nil
		}})
		cancel, result := start(t, process)
		require.NoError(t, process.Ready())
		cancel()
		require.ErrorContains(t, <-atStop, "shutting down")
		require.NoError(t, <-result)
	})
}

// awaitReady waits until the process has started. Its admin port answers before that.
func awaitReady(t *testing.T, process *lifecycle.Lifecycle) {
	t.Helper()
	require.Eventually(t, func() bool { return process.Ready() == nil }, 30*time.Second, time.Millisecond)
}

func TestTheAdminPortAnswersUntilTheLastPartHasEnded(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	draining, release := make(chan struct{}), make(chan struct{})
	process := newLifecycle(time.Minute)
	process.Add(process.Admin(listener, metrics, false))
	process.Add(lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
		<-ctx.Done()
		close(draining)
		<-release
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	awaitReady(t, process)
	addr := listener.Addr().String()

	require.Equal(t, answer{http.StatusOK, "alive\n"}, get(t, addr, "/livez"))
	require.Equal(t, answer{http.StatusOK, "ready\n"}, get(t, addr, "/readyz"))
	require.Contains(t, get(t, addr, "/metrics").body, "orders_total 0")
	var said strings.Builder
	require.NoError(t, lifecycle.Probe(t.Context(), addr, &said))
	require.Equal(t, "ready\n", said.String())

	cancel()
	<-draining
	require.Equal(t, answer{http.StatusOK, "alive\n"}, get(t, addr, "/livez"))
	require.Equal(t, answer{http.StatusServiceUnavailable, "shutting down\n"}, get(t, addr, "/readyz"))
	said.Reset()
	require.ErrorContains(t, lifecycle.Probe(t.Context(), addr, &said), "503")
	require.Equal(t, "shutting down\n", said.String())

	close(release)
	require.NoError(t, <-result)
	require.Error(t, lifecycle.Probe(t.Context(), addr, io.Discard), "nobody listens any more")
}

func TestProbeAsksThisMachineWhereTheAdminPortListensEverywhere(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	process := newLifecycle(time.Minute)
	process.Add(process.Admin(listener, prometheus.NewRegistry(), false))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	awaitReady(t, process)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	for _, addr := range []string{":" + port, "0.0.0.0:" + port, "[::]:" + port, "localhost:" + port} {
		require.NoError(t, lifecycle.Probe(t.Context(), addr, io.Discard), addr)
	}
	require.Error(t, lifecycle.Probe(t.Context(), "no port", io.Discard))
	cancel()
	require.NoError(t, <-result)
}

func TestProfilesAreServedOnlyWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	for profiles, want := range map[bool]int{false: http.StatusNotFound, true: http.StatusOK} {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		process := newLifecycle(time.Minute)
		process.Add(process.Admin(listener, prometheus.NewRegistry(), profiles))
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- process.Run(ctx) }()
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1"} {
			require.Equal(t, want, get(t, listener.Addr().String(), path).status, path)
		}
		cancel()
		require.NoError(t, <-result)
	}
}

type answer struct {
	status int
	body   string
}

func get(t *testing.T, addr, path string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, string(body)}
}
