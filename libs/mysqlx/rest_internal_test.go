package mysqlx

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/pace"
)

// watched is a cluster of hosts that are looked at, each look taking its time.
func watched(ctx context.Context, looks ...time.Duration) (cluster *Cluster, looked []*atomic.Int64) {
	cluster = &Cluster{rest: newRest(), patience: defaultPatience}
	for _, takes := range looks {
		each, count := &host{}, &atomic.Int64{}
		cluster.hosts, looked = append(cluster.hosts, each), append(looked, count)
		go cluster.rest.every(ctx, func() {
			began := time.Now()
			_ = pace.Wait(ctx, takes)
			count.Add(1)
			cluster.rest.looked(each, began)
		})
	}
	return cluster, looked
}

// pass lets time pass in a bubble.
func pass(t *testing.T, while time.Duration) {
	t.Helper()
	require.NoError(t, pace.Wait(t.Context(), while))
}

func TestServersAreLookedAtLessOftenWhileNobodyUsesTheCluster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, looked := watched(t.Context(), 0)
		pass(t, restAfter-1)
		require.Equal(t, int64(restAfter/lookInterval), looked[0].Swap(0))
		pass(t, 10*restInterval)
		require.Equal(t, int64(10), looked[0].Swap(0))
		cluster.use(t.Context())
		looked[0].Store(0)
		for range 100 {
			pass(t, time.Second)
			cluster.use(t.Context())
		}
		require.InDelta(t, 100*time.Second/lookInterval, looked[0].Load(), 1, "whoever goes on using it keeps it from resting")
	})
}

func TestWhoUsesAClusterAtRestWaitsForALookAtEachServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const slow = 200 * time.Millisecond
		cluster, looked := watched(t.Context(), 0, slow)
		pass(t, time.Minute)
		// A look at the slow server has begun, and does not count: what it will find was so before.
		for before := looked[1].Load(); looked[1].Load() == before; {
			pass(t, time.Millisecond)
		}
		pass(t, restInterval+slow/2)
		began, before := time.Now(), looked[1].Load()
		cluster.use(t.Context())
		require.Greater(t, time.Since(began), slow, "the look that had begun does not count")
		require.Less(t, time.Since(began), 2*slow)
		require.Equal(t, before+2, looked[1].Load())
		began = time.Now()
		cluster.use(t.Context())
		require.Zero(t, time.Since(began), "it is in use")
	})
}

func TestAServerThatHangsKeepsNobodyWaitingForLongerThanALookMayTake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, _ := watched(t.Context(), 0, time.Hour)
		pass(t, time.Minute)
		began := time.Now()
		cluster.use(t.Context())
		require.Equal(t, cluster.lookTimeout(), time.Since(began))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began = time.Now()
		cluster.use(ctx)
		require.Zero(t, time.Since(began))
	})
}

func TestAWriteToAClusterAtRestIsRefusedByNoOlderLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, looked := watched(t.Context(), 0)
		cluster.hosts[0].set(state{role: unreachable})
		pass(t, time.Minute+restInterval/2)
		before := looked[0].Load()
		err := cluster.WriteOnce(t.Context(), nil)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Greater(t, looked[0].Load(), before)
	})
}

func TestServersAreLookedAtOftenWhileOneThatHangsKeepsTheClusterFromWaking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cluster, looked := watched(t.Context(), 0, time.Hour)
		pass(t, time.Minute)
		before := looked[0].Load()
		cluster.use(t.Context())
		require.InDelta(t, cluster.lookTimeout()/lookInterval, looked[0].Load()-before, 1)
	})
}
