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

const home, elsewhere = "192.0.2.0/24", "198.51.100.0/24"

const someHash = "pbkdf2_sha256$1$pepper$1nAnYRHf9fYRT5Bw0hO7K7m8wkd4Oh9qjjyqGNaTnrc="

// work is everything that computes a hash.
var work = map[string]func(context.Context, *Hasher) error{
	"hash": func(ctx context.Context, hasher *Hasher) error {
		_, err := hasher.Hash(ctx, home, "Jhlee'spwd0")
		return err
	},
	"verify argon2id": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, home, unknownHash, "Jhlee'spwd0")
		return err
	},
	"verify django": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, home, someHash, "Jhlee'spwd0")
		return err
	},
	"verify nobody": func(ctx context.Context, hasher *Hasher) error {
		_, _, err := hasher.Verify(ctx, home, "", "Jhlee'spwd0")
		return err
	},
}

// occupy takes so many slots, as that many hashes in work do, and returns what gives one back.
func occupy(t *testing.T, hasher *Hasher, slots int) (release func()) {
	t.Helper()
	for range slots {
		free, err := hasher.acquire(t.Context(), elsewhere, 1)
		require.NoError(t, err)
		release = free
	}
	return release
}

func TestNoMoreHashesThanCoresAreInWorkAndTheNextOneWaits(t *testing.T) {
	t.Parallel()
	for name, do := range work {
		synctest.Test(t, func(t *testing.T) {
			hasher := NewHasher()
			release := occupy(t, hasher, slotsFor(runtime.GOMAXPROCS(0)))
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
			hasher := NewHasher()
			occupy(t, hasher, slotsFor(runtime.GOMAXPROCS(0)))
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			began := time.Now()
			err := do(ctx, hasher)
			require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Equal(t, 4*time.Second, time.Since(began), name)
		})
	}
}

func TestASlotIsFreeAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	hasher := newHasher(MaxParallel)
	for range MaxParallel + 1 {
		_, _, err := hasher.Verify(t.Context(), home, "no hash", "Jhlee'spwd0")
		require.ErrorContains(t, err, "hash")
	}
}
