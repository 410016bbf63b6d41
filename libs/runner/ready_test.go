package runner_test

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

	"oms.internal/libs/runner"
)

func TestReadyNamesEveryPartThatIsNot(t *testing.T) {
	t.Parallel()
	broken := func() error { return errBroken }
	process := newRunner(time.Second,
		runner.Part{Name: "database", Ready: broken}, runner.Part{Name: "http"},
		runner.Part{Name: "worker", Ready: func() error { return nil }}, runner.Part{Name: "nats", Ready: broken})
	err := process.Ready()
	require.ErrorContains(t, err, "database: broken")
	require.ErrorContains(t, err, "nats: broken")
	require.NotContains(t, err.Error(), "worker")
	require.NoError(t, newRunner(time.Second, runner.Part{Name: "http"}).Ready())
}

func TestReadyIsFalseFromTheFirstMomentOfTheShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		atStop := make(chan error, 1)
		var process *runner.Runner
		process = newRunner(time.Second, runner.Part{Name: "http", Run: func(ctx context.Context) error {
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

func TestTheAdminPortAnswersUntilTheLastPartHasEnded(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	draining, release := make(chan struct{}), make(chan struct{})
	process := newRunner(time.Minute)
	process.Add(process.Admin(listener, metrics))
	process.Add(runner.Part{Name: "http", Run: func(ctx context.Context) error {
		<-ctx.Done()
		close(draining)
		<-release
		return nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	addr := listener.Addr().String()

	require.Equal(t, answer{http.StatusOK, "alive\n"}, get(t, addr, "/livez"))
	require.Equal(t, answer{http.StatusOK, "ready\n"}, get(t, addr, "/readyz"))
	require.Contains(t, get(t, addr, "/metrics").body, "orders_total 0")
	var said strings.Builder
	require.NoError(t, runner.Probe(t.Context(), addr, &said))
	require.Equal(t, "ready\n", said.String())

	cancel()
	<-draining
	require.Equal(t, answer{http.StatusOK, "alive\n"}, get(t, addr, "/livez"))
	require.Equal(t, answer{http.StatusServiceUnavailable, "shutting down\n"}, get(t, addr, "/readyz"))
	said.Reset()
	require.ErrorContains(t, runner.Probe(t.Context(), addr, &said), "503")
	require.Equal(t, "shutting down\n", said.String())

	close(release)
	require.NoError(t, <-result)
	require.Error(t, runner.Probe(t.Context(), addr, io.Discard), "nobody listens any more")
}

func TestProbeAsksThisMachineWhereTheAdminPortListensEverywhere(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	process := newRunner(time.Minute)
	process.Add(process.Admin(listener, prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	for _, addr := range []string{":" + port, "0.0.0.0:" + port, "[::]:" + port, "localhost:" + port} {
		require.NoError(t, runner.Probe(t.Context(), addr, io.Discard), addr)
	}
	require.Error(t, runner.Probe(t.Context(), "no port", io.Discard))
	cancel()
	require.NoError(t, <-result)
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
