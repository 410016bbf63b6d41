package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/systemtest"
)

const (
	// inventedRate is how many invented tokens an attacker shows in a second, and liveRate how often each live one is used.
	inventedRate, liveRate = 1000, 4
	// atOnce is how many requests a client makes at the same time at the most.
	atOnce = 64
	// inventedTime is long enough for each live token to be looked up again, since answers count for 5 s.
	inventedTime = 12 * time.Second
	// quickWithInvented is what 99 % of the requests with live tokens may take. `make hostile-load` alone holds it.
	quickWithInvented = 50 * time.Millisecond
	// The gateway asks for so many invented tokens of one address at once, and so many more each second.
	inventedAtOnce, inventedEach = 100, 10
)

// lookUps is how often the gateway has asked accounts for whom a token stands, by outcome.
func lookUps(t *testing.T) map[string]int {
	t.Helper()
	status, text, err := systemtest.Fetch(t.Context(), "http://"+system.Address("GATEWAY_ADMIN_PORT")+"/metrics")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	counts := map[string]int{}
	for _, line := range regexp.MustCompile(`gateway_credential_lookups_total\{outcome="(\w+)"\} (\d+)`).FindAllStringSubmatch(text, -1) {
		counts[line[1]], err = strconv.Atoi(line[2])
		require.NoError(t, err)
	}
	return counts
}

// everySo calls do so many times a second until ctx ends, and waits for all calls. A busy machine may make it late, so it catches up, but no
// more than atOnce calls run at the same time.
func everySo(ctx context.Context, rate int, do func()) {
	var running sync.WaitGroup
	defer running.Wait()
	ticker := time.NewTicker(max(time.Second/time.Duration(rate), 5*time.Millisecond))
	defer ticker.Stop()
	places := make(chan struct{}, atOnce)
	for began, called := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for due := int(time.Since(began).Seconds() * float64(rate)); called < due && ctx.Err() == nil; called++ {
			places <- struct{}{}
			running.Go(func() {
				defer func() { <-places }()
				do()
			})
		}
	}
}

func TestAThousandInventedTokensASecondUnderLoadHarmNoLiveToken(t *testing.T) {
	duration := inventedTime
	if wanted := os.Getenv("OMS_HOSTILE_SECONDS"); wanted != "" {
		number, err := strconv.Atoi(wanted)
		require.NoError(t, err)
		duration = time.Duration(number) * time.Second
	}
	db, members := accountsDatabase(t), make([]member, 25)
	for i := range members {
		members[i] = importToken(t, db, signUp(t), newKnoxToken())
		members[i].client = members[i].from(5 + i)
		require.Equal(t, http.StatusCreated, members[i].do(t, http.MethodPost, "/orders/", newOrder("p")).status)
	}
	before, began := lookUps(t), time.Now()

	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var running sync.WaitGroup
	var mutex sync.Mutex
	var took []time.Duration
	var failed atomic.Value
	for i, own := range members {
		running.Go(func() {
			paths := []string{"/orders/?limit=5", fmt.Sprintf("/accounts/users/%d", own.id), "/auth/sessions"}
			var turn atomic.Int64
			pause(ctx, time.Second/liveRate*time.Duration(i)/time.Duration(len(members))) // so that they do not all ask at once
			everySo(ctx, liveRate, func() {
				asked := time.Now()
				got, err := own.try(t.Context(), http.MethodGet, paths[int(turn.Add(1))%len(paths)], nil)
				if err != nil || got.status != http.StatusOK {
					failed.Store(fmt.Sprint(err, got.status, got.text))
				}
				mutex.Lock()
				defer mutex.Unlock()
				took = append(took, time.Since(asked))
			})
		})
	}
	attacker, statuses := newClient().from(2), [600]atomic.Int64{}
	everySo(ctx, inventedRate, func() {
		if got, err := attacker.as(newKnoxToken().Token).try(t.Context(), http.MethodGet, "/orders/", nil); err == nil {
			statuses[got.status].Add(1)
		}
	})
	running.Wait()
	spent := time.Since(began)

	after := lookUps(t)
	unknown, throttled := statuses[http.StatusUnauthorized].Load(), statuses[http.StatusTooManyRequests].Load()
	absent := after["absent"] - before["absent"]
	slices.Sort(took)
	t.Logf("%.0f invented tokens a second: %d unknown, %d throttled; accounts was asked for %d of them, and %d times for live ones",
		float64(unknown+throttled)/spent.Seconds(), unknown, throttled, absent, after["found"]-before["found"])
	t.Logf("%d requests with live tokens: p50 %s, p99 %s, longest %s", len(took), took[len(took)/2], p99(took), took[len(took)-1])
	require.Nil(t, failed.Load())
	require.Positive(t, throttled)
	require.Equal(t, before["failed"], after["failed"])
	require.LessOrEqual(t, unknown, int64(absent), "one that was not looked up might be real, and is not called unknown")
	require.LessOrEqual(t, absent, inventedAtOnce+inventedEach*int(spent/time.Second+1))
	if os.Getenv("OMS_HOSTILE_SECONDS") != "" {
		require.GreaterOrEqual(t, unknown+throttled, int64(0.95*inventedRate*duration.Seconds()))
		require.LessOrEqual(t, p99(took), quickWithInvented)
	}
}
