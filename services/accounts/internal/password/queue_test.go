package password

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

func TestWhoComesWhenTheQueueIsFullIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher, err := NewHasher()
		require.NoError(t, err)
		release := occupy(t, hasher)
		waiting := maxWaiting * cap(hasher.slots)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		ended := make(chan error, waiting)
		for range waiting {
			go func() {
				free, err := hasher.acquire(ctx)
				if err == nil {
					free()
				}
				ended <- err
			}()
		}
		synctest.Wait()
		began := time.Now()
		_, err = hasher.Hash(t.Context(), "Jhlee'spwd0")
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Equal(t, time.Second, fault.Of(err).RetryAfter)
		require.Zero(t, time.Since(began))

		release()
		for range waiting {
			require.NoError(t, <-ended)
		}
		_, err = hasher.Hash(t.Context(), "Jhlee'spwd0")
		require.NoError(t, err)
	})
}

func TestAPlaceInTheQueueIsFreeAgainAfterTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher, err := NewHasher()
		require.NoError(t, err)
		occupy(t, hasher)
		for range 3 * maxWaiting {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := hasher.acquire(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		require.Len(t, hasher.queue, cap(hasher.slots))
	})
}
