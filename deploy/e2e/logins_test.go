package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	parallelLogins = 200
	// loginShare is for how long `make test` logs in; `make test-sessions` goes on for 30 s.
	loginShare = 5 * time.Second
	// otherRoutes is what 99 % of all else keep meanwhile. `make test-sessions` alone holds it.
	otherRoutes = 100 * time.Millisecond
)

// retryLater does what a refused login is told: it waits. It reports whether the refusal was in order.
func retryLater(t *testing.T, refused answer) bool {
	t.Helper()
	seconds, err := strconv.Atoi(refused.header.Get("Retry-After"))
	if err != nil || !slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, refused.status) {
		return false
	}
	wait := time.NewTimer(time.Duration(seconds) * time.Second)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-t.Context().Done():
	}
	return true
}

func TestTwoHundredParallelLoginsLeaveAllElseAlone(t *testing.T) {
	duration, long := loginShare, os.Getenv("OMS_LOGIN_SECONDS")
	if long != "" {
		number, err := strconv.Atoi(long)
		require.NoError(t, err)
		duration = time.Duration(number) * time.Second
	}
	own := signUp(t)
	var statuses sync.Map // status → *atomic.Int64
	logins := startLoad(t, parallelLogins, func(int) (bool, string) {
		got, err := newClient().try(t.Context(), http.MethodPost, "/auth/login", map[string]any{"email": own.email, "password": password})
		if err != nil {
			return false, err.Error()
		}
		counter, _ := statuses.LoadOrStore(got.status, new(atomic.Int64))
		counter.(*atomic.Int64).Add(1)
		if got.status == http.StatusOK {
			return true, ""
		}
		return retryLater(t, got), got.text
	})
	paths := []string{"/orders/?limit=1", fmt.Sprintf("/accounts/users/%d", own.id), "/accounts/users?limit=1"}
	latencies := map[string][]time.Duration{}
	for began := time.Now(); time.Since(began) < duration; {
		for _, path := range paths {
			asked := time.Now()
			got := own.do(t, http.MethodGet, path, nil)
			require.Equal(t, http.StatusOK, got.status, got.text)
			latencies[path] = append(latencies[path], time.Since(asked))
		}
	}
	logins.end()
	require.Zero(t, logins.failed.Load(), "%v", logins.example.Load())
	statuses.Range(func(status, count any) bool {
		t.Logf("login %v: %d", status, count.(*atomic.Int64).Load())
		return true
	})
	_, some := statuses.Load(http.StatusOK)
	require.True(t, some, "some logins succeed")
	peak := peakResident(t, process(t, "run", "accounts.json").PID())
	t.Logf("accounts: %d KiB at most", peak)
	require.Less(t, peak, maxResident)
	for path, all := range latencies {
		slices.Sort(all)
		t.Logf("GET %s: %d requests, p50 %s, p99 %s", path, len(all), all[len(all)/2], all[len(all)*99/100])
		if long != "" {
			require.Less(t, all[len(all)*99/100], otherRoutes, path)
		}
	}
}
