package limit

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/fault"
)

func TestOnlyFailuresCountAndOnlyForTheirAddress(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	failures := NewFailures(Rate{PerSecond: 2, Burst: 3}, clock.Now)
	failing, other := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("203.0.113.6")
	for range 100 {
		require.NoError(t, failures.Check(failing))
	}
	for range 3 {
		require.NoError(t, failures.Check(failing))
		require.NoError(t, failures.Count(failing))
	}
	for range 100 {
		for _, err := range []error{failures.Check(failing), failures.Count(failing)} {
			require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
			require.Equal(t, 500*time.Millisecond, fault.Of(err).RetryAfter, "what is refused lengthens no wait")
		}
	}
	require.NoError(t, failures.Check(other))
	clock.Advance(500 * time.Millisecond)
	require.NoError(t, failures.Count(failing))
	require.Error(t, failures.Check(failing))
}

func TestWhatIsForgivenIsAsIfItHadNotBeenCounted(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	failures := NewFailures(Rate{PerSecond: 2, Burst: 3}, clock.Now)
	address := netip.MustParseAddr("203.0.113.5")
	for range 100 {
		require.NoError(t, failures.Count(address))
		failures.Forgive(address)
	}
	require.NoError(t, failures.Count(address))
	clock.Advance(time.Hour)
	for range 100 {
		failures.Forgive(address)
	}
	for range 3 {
		require.NoError(t, failures.Count(address), "it was forgiven already")
	}
	require.Error(t, failures.Count(address), "no more than the burst is saved up")
}
