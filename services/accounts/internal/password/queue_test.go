package password

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

// wait has so many hashes of a household wait in line, and returns where each says how its waiting ended.
func wait(t *testing.T, hasher *Hasher, household string, count int) <-chan error {
	t.Helper()
	ended := make(chan error, count)
	for range count {
		go func() {
			release, err := hasher.acquire(t.Context(), household, 1)
			ended <- err
			if err == nil {
				release()
			}
		}()
	}
	synctest.Wait()
	return ended
}

func TestAHouseholdThatAsksWithoutEndIsRefusedAtOnceAndOthersWaitForOneOfItsHashes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := newHasher(1)
		release := occupy(t, hasher, 1)
		const asked = 60
		ended := wait(t, hasher, elsewhere, asked)
		require.Len(t, ended, asked-maxWaiting/2)
		for range asked - maxWaiting/2 {
			err := <-ended
			require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
			require.Equal(t, time.Second, fault.Of(err).RetryAfter)
		}
		require.True(t, fault.Is(hasher.Ready(elsewhere), fault.TooManyRequests), "it is told so before anything is looked up")

		require.NoError(t, hasher.Ready(home))
		served := make(chan int, 1)
		go func() {
			leave, err := hasher.acquire(t.Context(), home, 1)
			served <- len(ended)
			if err == nil {
				leave()
			}
		}()
		synctest.Wait()
		release()
		require.Equal(t, 1, <-served, "hashes of the other household that came before")
		for range maxWaiting / 2 {
			require.NoError(t, <-ended)
		}
	})
}

func TestAPasswordThatMayNeedTwoHashesTakesTwoPlacesWhateverIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := NewHasher()
		hasher.line = newHasher(1).line
		const composed, decomposed = "Jhlee'spwd0\u00e9", "Jhlee'spwd0e\u0301"
		known, err := hasher.Hash(t.Context(), home, composed)
		require.NoError(t, err)
		release := occupy(t, hasher, 1)
		// One place is left to the household, and not two.
		others, ours := wait(t, hasher, elsewhere, 1), wait(t, hasher, home, maxWaiting/2-1)
		require.NoError(t, hasher.Ready(home))
		for _, hash := range []string{known, someHash, ""} {
			_, _, err = hasher.Verify(t.Context(), home, hash, decomposed)
			require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
		}
		require.NoError(t, hasher.Ready(home), "a refusal keeps no place")
		release()
		require.NoError(t, <-others)
		for range cap(ours) {
			require.NoError(t, <-ours)
		}
		ok, _, err := hasher.Verify(t.Context(), home, known, decomposed)
		require.NoError(t, err)
		require.True(t, ok)
	})
}
