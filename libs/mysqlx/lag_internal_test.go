package mysqlx

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var moment = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestLagIsTheAgeOfTheOldestBeatThatWasNotApplied(t *testing.T) {
	t.Parallel()
	// Other processes wrote the beats between these.
	var written beats
	for i, number := range []uint64{10, 13, 14} {
		written.add(number, moment.Add(time.Duration(i)*time.Second))
	}
	now := moment.Add(5 * time.Second)
	for applied, want := range map[uint64]time.Duration{
		10: 4 * time.Second, 11: 4 * time.Second, 12: 4 * time.Second, 13: 3 * time.Second,
		14: 0, 20: 0, // all: with the primary away, time alone makes no lag
		9: unknownLag, 0: unknownLag, // none of this process's: it may be a second behind or a day
	} {
		require.Equal(t, want, written.lag(applied, now), "applied %d", applied)
	}
}

func TestTheLagIsUnknownBeforeTheFirstBeat(t *testing.T) {
	t.Parallel()
	var none beats
	require.Equal(t, unknownLag, none.lag(1<<63, moment))
	require.Greater(t, unknownLag, MaxLag)
}

func TestTheMemoryOfBeatsIsBoundedAndReachesPastTheAllowedLag(t *testing.T) {
	t.Parallel()
	var written beats
	for number := range uint64(1000) {
		written.add(number, moment.Add(time.Duration(number)*beatEvery*lookInterval))
	}
	require.Len(t, written.written, rememberedBeats)
	now := written.written[rememberedBeats-1].at
	require.Greater(t, written.lag(1000-rememberedBeats, now), MaxLag)
	require.Equal(t, unknownLag, written.lag(0, now))
	require.Zero(t, written.lag(999, now))
}
