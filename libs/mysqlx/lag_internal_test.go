package mysqlx

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLagIsTheAgeOfTheOldestBeatThatWasNotApplied(t *testing.T) {
	t.Parallel()
	seen := beats{begun: true}
	for i, number := range []uint64{10, 13, 14} {
		seen.add(number, moment.Add(time.Duration(i)*time.Second))
	}
	now := moment.Add(5 * time.Second)
	for applied, want := range map[uint64]time.Duration{
		10: 4 * time.Second, 11: 4 * time.Second, 12: 4 * time.Second, 13: 3 * time.Second,
		14: 0, 20: 0, // all: with the primary away, time alone makes no lag
		9: unknownLag, 0: unknownLag, // older than the memory: it may be a second behind or a day
	} {
		require.Equal(t, want, seen.lag(applied, now), "applied %d", applied)
	}
}

func TestTheLagIsUnknownBeforeTheFirstBeat(t *testing.T) {
	t.Parallel()
	var none beats
	require.Equal(t, unknownLag, none.lag(1<<63, moment))
	require.Greater(t, unknownLag, MaxLag)
	_, known := none.shownLag(1<<63, unknownLag)
	require.False(t, known)
}

func TestABeatFromBeforeTheFirstLookTellsNothing(t *testing.T) {
	t.Parallel()
	var seen beats
	seen.add(10, moment)
	seen.add(10, moment.Add(time.Second))
	require.Equal(t, unknownLag, seen.lag(10, moment.Add(time.Second)))
	require.Zero(t, seen.newest(), "a beat is due")
	seen.add(11, moment.Add(2*time.Second))
	require.Equal(t, unknownLag, seen.lag(10, moment.Add(2*time.Second)))
	require.Zero(t, seen.lag(11, moment.Add(2*time.Second)))
}

func TestALagBeyondTheMemoryIsShownAsTheBeatsTellIt(t *testing.T) {
	t.Parallel()
	seen := beats{begun: true}
	seen.add(uint64(moment.UnixMicro()), moment)
	shown, known := seen.shownLag(uint64(moment.Add(-time.Minute).UnixMicro()), unknownLag)
	require.True(t, known)
	require.Equal(t, time.Minute, shown)
	shown, _ = seen.shownLag(0, time.Second)
	require.Equal(t, time.Second, shown)
}

func TestTheMemoryOfBeatsIsBoundedAndReachesPastTheAllowedLag(t *testing.T) {
	t.Parallel()
	seen := beats{begun: true}
	for number := range uint64(1000) {
		seen.add(number+1, moment.Add(time.Duration(number)*lookInterval))
	}
	require.Len(t, seen.seen, rememberedBeats)
	now := seen.newest().at
	require.Greater(t, seen.lag(1001-rememberedBeats, now), MaxLag)
	require.Equal(t, unknownLag, seen.lag(0, now))
	require.Zero(t, seen.lag(1000, now))
}

func TestABeatThatIsSeenAgainIsNoNewOne(t *testing.T) {
	t.Parallel()
	seen := beats{begun: true}
	seen.add(10, moment)
	seen.add(10, moment.Add(time.Hour))
	require.Equal(t, beat{10, moment}, seen.newest())
}

func TestAPrimaryThatLacksTheLastBeatsOfTheOneBeforeStartsAnew(t *testing.T) {
	t.Parallel()
	seen := beats{begun: true}
	for _, number := range []uint64{10, 20, 30} {
		seen.add(number, moment)
	}
	seen.add(21, moment.Add(time.Second))
	require.Equal(t, []beat{{10, moment}, {20, moment}, {21, moment.Add(time.Second)}}, seen.seen)
	require.Equal(t, time.Second, seen.lag(20, moment.Add(2*time.Second)))
}
