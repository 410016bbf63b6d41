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
				free, err := hasher.acquire(ctx, 1)
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
			_, err := hasher.acquire(ctx, 1)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		require.Len(t, hasher.queue, cap(hasher.slots))
	})
}

func TestAPasswordThatMayNeedTwoHashesTakesTwoPlacesWhateverIsStored(t *testing.T) {
	t.Parallel()
	hasher, err := NewHasher()
	require.NoError(t, err)
	const composed, decomposed = "Jhlee'spwd0\u00e9", "Jhlee'spwd0e\u0301"
	known, err := hasher.Hash(t.Context(), composed)
	require.NoError(t, err)
	for range cap(hasher.queue) - 1 {
		hasher.queue <- struct{}{}
	}
	for _, hash := range []string{known, someHash, ""} {
		_, _, err := hasher.Verify(t.Context(), hash, composed)
		require.NoError(t, err)
		_, _, err = hasher.Verify(t.Context(), hash, decomposed)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Len(t, hasher.queue, cap(hasher.queue)-1, "a refusal keeps no place")
	}
	<-hasher.queue
	ok, _, err := hasher.Verify(t.Context(), known, decomposed)
	require.NoError(t, err)
	require.True(t, ok)
}
