package mysqlx

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

func TestSlowReadsOfOneMemberLeaveRoomForThoseOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lane := newSlowLane()
		release, results := make(chan struct{}), make(chan error, 100)
		running := map[uint64]int{}
		read := func(member uint64) {
			results <- lane.run(fairshare.Into(t.Context(), member), func() error {
				running[member]++
				<-release
				return nil
			})
		}
		began := time.Now()
		const asked = 40
		for range asked {
			go read(1)
			synctest.Wait()
		}
		require.Equal(t, map[uint64]int{1: slowReads / 2}, running)
		for range asked - slowReads/2 - slowWaiting/2 {
			err := <-results
			require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
			require.Positive(t, fault.Of(err).RetryAfter)
		}
		require.Zero(t, time.Since(began), "who has its share is told so at once")
		for _, member := range []uint64{2, 3} {
			go read(member)
			synctest.Wait()
		}
		require.Equal(t, map[uint64]int{1: slowReads / 2, 2: 1, 3: 1}, running)

		for range slowWaiting / 2 {
			requireBusy(t, <-results)
		}
		require.Equal(t, slowPatience, time.Since(began), "who waits does so for a second")
		close(release)
		for range slowReads {
			require.NoError(t, <-results)
		}
		failure := errors.New("broken")
		require.ErrorIs(t, lane.run(t.Context(), func() error { return failure }), failure)
		for range 2 * (slowReads + slowWaiting) {
			require.NoError(t, lane.run(t.Context(), func() error { return nil }), "every place is given back")
		}
	})
}

func TestASlowReadWaitsNoLongerThanItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lane := newSlowLane()
		release := make(chan struct{})
		for member := range uint64(slowReads) {
			go func() { _ = lane.run(fairshare.Into(t.Context(), member), func() error { <-release; return nil }) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := lane.run(ctx, func() error { return nil })
		require.True(t, fault.Is(err, fault.Timeout), "%v", err)
		close(release)
	})
}

func requireBusy(t *testing.T, err error) {
	t.Helper()
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Positive(t, fault.Of(err).RetryAfter)
}
