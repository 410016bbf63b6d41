package lifecycle_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

func TestASuccessorServesOnlyOnceAllIsReadyHoweverLongThatTakes(t *testing.T) {
	t.Parallel()
	for _, beside := range []lifecycle.Beside{{}, {Requests: true}, {Requests: true, Admin: true}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			started := map[string]time.Duration{}
			part := func(name string) lifecycle.Part {
				return lifecycle.Part{Name: name, Run: untilEnd, Usable: func() error {
					if _, again := started[name]; !again {
						started[name] = time.Since(began)
					}
					return nil
				}}
			}
			broker := part("nats")
			broker.Ready = after(time.Hour)
			process := newLifecycle(time.Second, broker, part("worker"))
			process.AddServing(part("admin"), part("http"), beside)
			cancel, result := start(t, process)
			time.Sleep(2 * time.Hour) //nolint:forbidigo // on the clock of the bubble
			synctest.Wait()
			require.NoError(t, process.Ready())
			want := map[string]time.Duration{"admin": 0, "nats": 0, "worker": 10 * time.Second, "http": 10 * time.Second}
			if beside.Requests {
				want["http"] = time.Hour
			}
			if beside.Admin {
				want["admin"] = time.Hour
			}
			require.Equal(t, want, started)
			cancel()
			require.NoError(t, <-result)
		})
	}
}

func TestAProcessThatEndsLeavesTheSharedAdminPortToItsSuccessorAtOnce(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ends := make(chan struct{})
	draining := lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
		<-ctx.Done()
		<-ends
		return nil
	}}
	process := newLifecycle(time.Minute)
	process.AddServing(process.Handing(process.Admin(listener, prometheus.NewRegistry(), false), listener), draining, lifecycle.Beside{})
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	url := "http://" + listener.Addr().String() + "/readyz"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		if response.Header.Get(lifecycle.HeaderProcess) == "" {
			return errors.New("the process does not say who it is")
		}
		return response.Body.Close()
	}
	require.Eventually(t, func() bool { return ask() == nil }, 30*time.Second, time.Millisecond)
	cancel()
	require.Eventually(t, func() bool { return ask() != nil }, 30*time.Second, time.Millisecond)
	require.Empty(t, result, "it still drains")
	close(ends)
	require.NoError(t, <-result)
}
