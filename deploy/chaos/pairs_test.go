package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAReadAfterAWriteIsNeverStaleHoweverFarTheReplicaIsBehind reads after each write while the replica falls behind by up
// to five seconds and catches up, again and again.
func TestAReadAfterAWriteIsNeverStaleHoweverFarTheReplicaIsBehind(t *testing.T) {
	pairs := share(t, variablePairs, 1500)
	members := newMembers(t, crew())
	// Some do what no promise covers: two gateways in turn, without the token. Theirs is the measured rate.
	for i, m := range members {
		if i%4 == 0 {
			m.echoes, m.careless = false, true // they were to echo, and so have both gateways
		}
	}
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	lagging := make(chan error, 1)
	go func() { lagging <- lag(ctx, 5*time.Second) }()
	running := startLoad(t, members, 1000)
	err := await(t.Context(), time.Hour, func(context.Context) error {
		if running.journal.reads() < pairs {
			return errors.New("there are more to come")
		}
		return nil
	})
	stop()
	running.end()
	require.NoError(t, errors.Join(err, <-lagging))

	j, result := running.journal, running.verify(t)
	t.Logf("%d pairs in %.0f s (%d requests failed): %d stale where the token is echoed or one gateway is used; "+
		"two gateways without the token: %d of %d stale (%.3f %%)", j.reads(), time.Since(began).Seconds(), j.count(failed),
		len(result.stale), j.careless, j.carelessReads, 100*float64(j.careless)/float64(max(1, j.carelessReads)))
	result.requireNone(t)
	if whole() { // on a busy machine a server may be taken for one that hangs
		require.Zero(t, j.count(failed), "%v", j.examples(10))
	}
}

// lag lets the replica fall behind by up to longest and catch up, until ctx ends.
func lag(ctx context.Context, longest time.Duration) error {
	// What began is finished, so that the replica is left as it was found.
	whole := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		if err := world.databases.applying(whole, false); err != nil {
			return err
		}
		rest(ctx, rand.N(longest))
		if err := world.databases.applying(whole, true); err != nil {
			return err
		}
		if err := world.databases.caughtUp(whole); err != nil {
			return err
		}
		rest(ctx, rand.N(time.Second))
	}
	return nil
}
