package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load sends requests from several clients until it is stopped, and counts what comes back.
type load struct {
	stop    chan struct{}
	clients sync.WaitGroup
	sent    atomic.Int64
	failed  atomic.Int64
	example atomic.Value
}

func startLoad(t *testing.T, clients int, request func(client int) (ok bool, what string)) *load {
	t.Helper()
	running := &load{stop: make(chan struct{})}
	for i := range clients {
		running.clients.Go(func() {
			for {
				select {
				case <-running.stop:
					return
				default:
				}
				running.sent.Add(1)
				if ok, what := request(i); !ok {
					running.failed.Add(1)
					running.example.Store(what)
				}
			}
		})
	}
	return running
}

func (l *load) end() {
	close(l.stop)
	l.clients.Wait()
}

// succeeded reports whether the system did what was asked, or said what is wrong with it. 429 counts as a failure, because a load that
// is throttled proves nothing.
func succeeded(got answer, err error) (bool, string) {
	if err != nil {
		return false, err.Error()
	}
	return got.status < http.StatusInternalServerError && got.status != http.StatusTooManyRequests, fmt.Sprint(got.status, " ", got.text)
}

func TestReplicaStoppedUnderLoadFailsNoRequest(t *testing.T) {
	members := []member{signUp(t), signUp(t), signUp(t), signUp(t)}
	running := startLoad(t, len(members), func(i int) (bool, string) {
		paths := []string{"/accounts/users?limit=5", "/accounts/users?search=kim", fmt.Sprintf("/accounts/users/%d", members[i].id), "/orders/"}
		for _, path := range paths {
			if ok, what := succeeded(members[i].try(t.Context(), http.MethodGet, path, nil)); !ok {
				return ok, path + ": " + what
			}
		}
		return succeeded(members[i].try(t.Context(), http.MethodPost, "/orders/", newOrder("under load")))
	})
	requireGoesOn(t, running, 50)
	replica := process(t, "mariadb", "replica", "process.json")
	require.NoError(t, replica.Pause())
	requireGoesOn(t, running, 200) // at first reads wait for it in vain, and then it is left out
	require.NoError(t, replica.Continue())
	requireGoesOn(t, running, 50)
	running.end()
	t.Logf("%d rounds of 5 requests, %d failed", running.sent.Load(), running.failed.Load())
	require.Zero(t, running.failed.Load(), "%v", running.example.Load())
}

func TestOrdersKilledUnderLoadLeavesAccountsAnsweringAndComesBack(t *testing.T) {
	own := signUp(t)
	path := fmt.Sprintf("/accounts/users/%d", own.id)
	whole := own.do(t, http.MethodGet, path, nil)
	require.Contains(t, whole.body, "last_order")

	running := startLoad(t, 4, func(int) (bool, string) {
		return succeeded(own.try(t.Context(), http.MethodGet, path, nil))
	})
	requireGoesOn(t, running, 50)
	require.NoError(t, process(t, "run", "orders.json").Kill())

	degraded := own.do(t, http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, degraded.status)
	require.NotContains(t, degraded.body, "last_order", "unknown is not null")
	require.Equal(t, "last_order", degraded.header.Get("Degraded"))

	down := own.do(t, http.MethodGet, "/orders/", nil)
	require.Equal(t, http.StatusServiceUnavailable, down.status, down.text)
	require.NotEmpty(t, down.header.Get("Retry-After"))
	require.NotEmpty(t, down.body["request_id"])

	oms(t, "up")
	require.Equal(t, http.StatusOK, own.do(t, http.MethodGet, "/orders/", nil).status)
	require.Eventually(t, func() bool {
		got, err := own.try(t.Context(), http.MethodGet, path, nil)
		_, known := got.body["last_order"]
		return err == nil && known
	}, patience, 20*time.Millisecond)
	running.end()
	require.Zero(t, running.failed.Load(), "%v", running.example.Load())
}

// requireGoesOn waits until the load has had so many more rounds.
func requireGoesOn(t *testing.T, running *load, rounds int64) {
	t.Helper()
	target := running.sent.Load() + rounds
	require.Eventually(t, func() bool { return running.sent.Load() >= target }, startTimeout, 5*time.Millisecond)
}
