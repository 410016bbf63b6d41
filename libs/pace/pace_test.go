package pace_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/pace"
)

func TestAWaitEndsAfterItsTimeOrWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, pace.Wait(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, pace.Wait(ctx, time.Hour), context.DeadlineExceeded)
		require.Equal(t, time.Hour+time.Minute, time.Since(began))
	})
}

func TestWorkIsDoneEachTimeThatTheIntervalHasPassedUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var turns []time.Duration
		pace.Every(ctx, time.Minute, func() {
			if turns = append(turns, time.Since(began)); len(turns) == 3 {
				cancel()
			}
		})
		require.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}, turns)
	})
}
