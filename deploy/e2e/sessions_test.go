package e2e

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// logoutShare is how many logouts `make test` makes.
	logoutShare = 20
	// longSuite is how many `make test-sessions` makes. It alone holds the times: 99 % of the logouts are known elsewhere within
	// pushed, and all are within a second.
	longSuite = 1000
	pushed    = 50 * time.Millisecond
)

func logouts(t *testing.T) int {
	t.Helper()
	wanted := os.Getenv("OMS_LOGOUTS")
	if wanted == "" {
		return logoutShare
	}
	number, err := strconv.Atoi(wanted)
	require.NoError(t, err)
	return number
}

// rotations is how often keys are rotated: ten times in the long suite.
func rotations(t *testing.T) int {
	t.Helper()
	if logouts(t) >= longSuite {
		return 10
	}
	return 3
}

// latency logs out at the first gateway and asks the second one until it refuses. It returns how long after the answer
// to the logout the last request was accepted.
func latency(t *testing.T, second gateway, token string) time.Duration {
	t.Helper()
	elsewhere := second.client(token)
	require.Equal(t, http.StatusOK, elsewhere.do(t, http.MethodGet, "/orders/?limit=1", nil).status)
	got := newClient().as(token).do(t, http.MethodPost, "/auth/logout", nil)
	require.Equal(t, http.StatusNoContent, got.status)
	loggedOut := time.Now()
	require.Equal(t, http.StatusUnauthorized, newClient().as(token).do(t, http.MethodGet, "/orders/?limit=1", nil).status)
	for {
		asked := time.Now()
		if status := elsewhere.do(t, http.MethodGet, "/orders/?limit=1", nil).status; status == http.StatusUnauthorized {
			return asked.Sub(loggedOut)
		}
		require.Less(t, time.Since(loggedOut), patience, "still accepted")
	}
}

// measure logs out so many sessions, a few at a time, and returns the latencies in ascending order.
func measure(t *testing.T, second gateway, count int) []time.Duration {
	t.Helper()
	own := signUp(t)
	tokens := make([]string, count)
	var openers sync.WaitGroup
	for part := range 4 {
		openers.Go(func() {
			for i := part; i < count; i += 4 {
				tokens[i], _, _ = login(t, own.email)
			}
		})
	}
	openers.Wait()
	latencies := make([]time.Duration, count)
	for i, token := range tokens {
		latencies[i] = latency(t, second, token)
	}
	slices.Sort(latencies)
	t.Logf("%d logouts: p50 %s, p99 %s, longest %s", count, latencies[count/2], latencies[count*99/100], latencies[count-1])
	return latencies
}

func TestALogoutAtOneGatewayIsKnownToAnother(t *testing.T) {
	latencies := measure(t, startGateway(t), logouts(t))
	if len(latencies) >= longSuite {
		require.Less(t, latencies[len(latencies)-1], time.Second)
		require.LessOrEqual(t, latencies[len(latencies)*99/100], pushed)
	}
}

func TestALogoutIsKnownWithoutNATS(t *testing.T) {
	second := startGateway(t)
	broker := process(t, "nats", "process.json")
	require.NoError(t, broker.Pause())
	defer func() {
		require.NoError(t, broker.Continue())
		awaitWhole(t)
	}()
	latencies := measure(t, second, logouts(t))
	if len(latencies) >= longSuite {
		require.Less(t, latencies[len(latencies)-1], time.Second)
	}
}

func TestALogoutSurvivesTheKillOfAGateway(t *testing.T) {
	second := startGateway(t)
	own := signUp(t)
	for range logouts(t) / 20 {
		token, _, _ := login(t, own.email)
		require.Equal(t, http.StatusNoContent, second.client(token).do(t, http.MethodPost, "/auth/logout", nil).status)
		require.NoError(t, second.Kill())
		require.NoError(t, second.Start())
		// From the first moment on that it answers at all, not only once it is ready.
		require.Eventually(t, func() bool {
			got, err := second.client(token).try(t.Context(), http.MethodGet, "/orders/", nil)
			require.NotEqual(t, http.StatusOK, got.status)
			return err == nil && got.status == http.StatusUnauthorized
		}, patience, time.Millisecond)
	}
}

// awaitWhole waits until members carry their last order again: NATS stands on both sides.
func awaitWhole(t *testing.T) {
	t.Helper()
	own := signUp(t)
	require.Eventually(t, func() bool {
		got, err := own.try(t.Context(), http.MethodGet, "/accounts/users?limit=1&search="+own.email, nil)
		return err == nil && got.status == http.StatusOK && got.header.Get("Degraded") == ""
	}, patience, 50*time.Millisecond)
}

func TestKeyRotationsUnderLoadFailNoRequest(t *testing.T) {
	second := startGateway(t)
	running := startLoad(t, 4, func(int) (bool, string) {
		email := unique() + "@e2e.test"
		created, err := newClient().try(t.Context(), http.MethodPost, "/accounts/users", newMember(email))
		if ok, what := succeeded(created, err); !ok || created.status != http.StatusCreated {
			return false, what
		}
		token := created.body["token"].(string)
		for _, c := range []client{newClient().as(token), second.client(token)} {
			got, err := c.try(t.Context(), http.MethodGet, "/orders/", nil)
			if ok, what := succeeded(got, err); !ok || got.status != http.StatusOK {
				return false, what
			}
		}
		return true, ""
	})
	before := len(keyIDs(t))
	for range rotations(t) {
		known := keyIDs(t)
		oms(t, "keys", "rotate")
		require.Eventually(t, func() bool { return !slices.Equal(known, keyIDs(t)) }, patience, 10*time.Millisecond, "the new key is published")
		requireGoesOn(t, running, 10)
	}
	running.end()
	t.Logf("%d rounds, %d failed, keys %d → %d", running.sent.Load(), running.failed.Load(), before, len(keyIDs(t)))
	require.Zero(t, running.failed.Load(), "%v", running.example.Load())
}

// keyIDs returns the ids of the published keys, sorted.
func keyIDs(t *testing.T) []string {
	t.Helper()
	set, err := newClient().typed(t, nil).GetKeys(t.Context())
	require.NoError(t, err)
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.Kid)
	}
	slices.Sort(ids)
	return ids
}
