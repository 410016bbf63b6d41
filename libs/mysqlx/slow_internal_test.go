package mysqlx

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func TestFewSlowReadsRunAndFewWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lane := newSlowLane()
		release, results := make(chan struct{}), make(chan error, 100)
		running := 0
		read := func() {
			results <- lane.run(t.Context(), func() error {
				running++
				<-release
				return nil
			})
		}
		for range slowReads + slowWaiting {
			go read()
			synctest.Wait()
		}
		require.Equal(t, slowReads, running)
		require.Empty(t, results)

		// Who finds the queue full need not wait, and who waits does so for a second.
		began := time.Now()
		go read()
		requireBusy(t, <-results)
		require.Zero(t, time.Since(began))
		for range slowWaiting {
			requireBusy(t, <-results)
		}
		require.Equal(t, slowPatience, time.Since(began))
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
		for range slowReads {
			go func() { _ = lane.run(t.Context(), func() error { <-release; return nil }) }()
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
