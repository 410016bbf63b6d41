package password

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

const someHash = "pbkdf2_sha256$1$pepper$1nAnYRHf9fYRT5Bw0hO7K7m8wkd4Oh9qjjyqGNaTnrc="

// work is everything that computes a hash.
var work = map[string]func(context.Context, *Hasher) error{
	"hash": func(ctx context.Context, hasher *Hasher) error {
		_, err := hasher.Hash(ctx, "Jhlee'spwd0")
		return err
	},
	"verify argon2id": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, hasher.unknown, "Jhlee'spwd0")
		return err
	},
	"verify django": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, someHash, "Jhlee'spwd0")
		return err
	},
	"verify nobody": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, "", "Jhlee'spwd0")
		return err
	},
}

// occupy takes all slots, as that many hashes in work do, and returns what gives one back.
func occupy(t *testing.T, hasher *Hasher) (release func()) {
	t.Helper()
	for range slotsFor(runtime.GOMAXPROCS(0)) {
		free, err := hasher.acquire(t.Context(), 1)
		require.NoError(t, err)
		release = free
	}
	return release
}

func TestNoMoreHashesThanCoresAreInWorkAndTheNextOneWaits(t *testing.T) {
	t.Parallel()
	for name, do := range work {
		synctest.Test(t, func(t *testing.T) {
			hasher, err := NewHasher()
			require.NoError(t, err)
			release := occupy(t, hasher)
			done := make(chan error, 1)
			go func() { done <- do(t.Context(), hasher) }()
			synctest.Wait()
			require.Empty(t, done, "%s: did not wait", name)
			release()
			require.NoError(t, <-done, name)
		})
	}
}

func TestWaitingForASlotEndsWithTheRequestAsUnavailable(t *testing.T) {
	t.Parallel()
	for name, do := range work {
		synctest.Test(t, func(t *testing.T) {
			hasher, err := NewHasher()
			require.NoError(t, err)
			occupy(t, hasher)
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			began := time.Now()
			err = do(ctx, hasher)
			require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, 4*time.Second, time.Since(began), name)
		})
	}
}

func TestAFullQueueIsToldBeforehand(t *testing.T) {
	t.Parallel()
	hasher, err := NewHasher()
	require.NoError(t, err)
	require.NoError(t, hasher.Ready())
	for range cap(hasher.queue) {
		hasher.queue <- struct{}{}
	}
	require.True(t, fault.Is(hasher.Ready(), fault.Unavailable))
	_, err = hasher.Hash(t.Context(), "Jhlee'spwd0")
	require.True(t, fault.Is(err, fault.Unavailable))
	<-hasher.queue
	require.NoError(t, hasher.Ready())
}

func TestASlotIsFreeAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	hasher, err := NewHasher()
	require.NoError(t, err)
	for range MaxParallel + 1 {
		_, _, err := hasher.Verify(t.Context(), "no hash", "Jhlee'spwd0")
		require.Error(t, err)
	}
	require.Empty(t, hasher.slots)
}
