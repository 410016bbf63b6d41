package mysqlx

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
)

var moment = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// machine is a primary with a clock that the test sets: the time that it shows is the real time, faster or slower by
// rate, and off by offset.
type machine struct {
	offset time.Duration
	rate   float64
	beat   uint64
}

func (m *machine) clock(now time.Time) uint64 {
	return uint64(moment.Add(m.offset + time.Duration(float64(now.Sub(moment))*m.rate)).UnixMicro())
}

func (m *machine) v(now time.Time) uint64 { return max(m.clock(now), m.beat) }

// beats moves the row on as beatQuery does.
func (m *machine) beats(now time.Time) uint64 {
	m.beat = max(m.beat+1, m.clock(now))
	return m.beat
}

// A read is new enough if no beat that was made before the write was acknowledged is above the token. Each case is a
// clock that misbehaves between the sample and the write in a way that is to be survived.
func TestNoBeatFromBeforeAWriteIsAboveItsToken(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]*machine{
		"a right clock":                {rate: 1},
		"a clock a day behind":         {rate: 1, offset: -24 * time.Hour},
		"a clock a day ahead":          {rate: 1, offset: 24 * time.Hour},
		"a clock that gains a sixth":   {rate: 7.0 / 6},
		"a clock that loses a sixth":   {rate: 5.0 / 6},
		"a clock behind its beat":      {rate: 1, beat: uint64(moment.Add(time.Hour).UnixMicro())},
		"a clock that does not move":   {rate: 0},
		"a clock that runs backwards ": {rate: -1},
	} {
		for _, way := range []time.Duration{0, time.Millisecond, defaultPatience / looksWithin} {
			asked := moment
			taken := sample{asked: asked, value: server.v(asked.Add(way / 2))}
			now := asked.Add(way)
			for range 100 {
				now = now.Add(lookInterval / 10)
				before := server.beats(now) // visible when the write is acknowledged
				token := taken.bound(now)
				require.GreaterOrEqual(t, uint64(token), server.v(now), name)
				require.GreaterOrEqual(t, uint64(token), before, name)
			}
		}
	}
}

func TestABeatSoonAfterAWriteIsAboveItsToken(t *testing.T) {
	t.Parallel()
	server := &machine{rate: 1}
	taken := sample{asked: moment, value: server.v(moment.Add(time.Millisecond))}
	written := moment.Add(lookInterval)
	token := taken.bound(written)
	require.Greater(t, server.beats(written.Add(30*time.Millisecond)), uint64(token))
}

func TestAClockThatIsSetBackMakesTokensNoLower(t *testing.T) {
	t.Parallel()
	server := &machine{rate: 1}
	server.beats(moment)
	first := sample{asked: moment, value: server.v(moment)}.bound(moment)
	server.offset = -time.Hour
	later := moment.Add(time.Second)
	beat := server.beats(later)
	require.Equal(t, uint64(moment.UnixMicro())+1, beat, "the beat stands still, nearly")
	second := sample{asked: later, value: server.v(later)}.bound(later)
	require.GreaterOrEqual(t, uint64(second), beat)
	require.LessOrEqual(t, beat, uint64(first), "who wrote before reads from the primary until the clock has caught up")
	server.offset = 0
	require.Greater(t, server.beats(later), uint64(first))
}

func TestTokensHoldAcrossAPromotionWhateverTheClocks(t *testing.T) {
	t.Parallel()
	for offset, stands := range map[time.Duration]bool{-time.Hour: true, 0: false, time.Hour: false} {
		old := &machine{rate: 1}
		old.beats(moment)
		before := sample{asked: moment, value: old.v(moment)}.bound(moment)
		promoted := &machine{rate: 1, offset: offset, beat: old.beat} // it has applied everything
		now := moment.Add(time.Second)
		taken := sample{asked: now, value: promoted.v(now)}
		for range 20 {
			now = now.Add(lookInterval)
			require.GreaterOrEqual(t, uint64(taken.bound(now)), promoted.beats(now), offset)
		}
		require.Equal(t, stands, promoted.beat <= uint64(before), "with a clock behind, the primary serves who wrote before")
	}
}

func TestASampleFromAfterTheWriteBoundsItToo(t *testing.T) {
	t.Parallel()
	require.Equal(t, consistency.Token(1000+uint64(driftLeast.Microseconds())), sample{asked: moment.Add(time.Second), value: 1000}.bound(moment))
}

// freshnessOf is what a cluster of one replica in this state says to a caller with the token.
func freshnessOf(current state, token consistency.Token) (bool, reason) {
	cluster := &Cluster{hosts: []*host{{state: state{role: primary}}, {state: current}}}
	cluster.epoch.Store(3)
	found, otherwise := cluster.freshReplica(token)
	return found != nil, otherwise
}

func TestAReplicaServesOnlyWhoWasToldNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		current state
		token   consistency.Token
		serves  bool
		reason  reason
	}{
		"no token":                       {state{role: replica, epoch: 3, applied: 0}, 0, true, fresh},
		"an older token":                 {state{role: replica, epoch: 3, applied: 101}, 100, true, fresh},
		"a token as new as the beat":     {state{role: replica, epoch: 3, applied: 100}, 100, false, behind},
		"a newer token":                  {state{role: replica, epoch: 3, applied: 99}, 100, false, behind},
		"a token from the future":        {state{role: replica, epoch: 3, applied: 1 << 51}, consistency.Newest, false, behind},
		"the largest lag":                {state{role: replica, epoch: 3, applied: 101, lag: MaxLag}, 100, true, fresh},
		"more than that":                 {state{role: replica, epoch: 3, applied: 101, lag: MaxLag + 1}, 0, false, lagging},
		"a lag that is not known":        {state{role: replica, epoch: 3, applied: 101, lag: unknownLag}, 0, false, lagging},
		"a replica of a former primary":  {state{role: replica, epoch: 2, applied: 1 << 51}, 100, false, lagging},
		"a replica that does not answer": {state{role: unreachable, epoch: 3, applied: 101}, 100, false, noReplica},
	} {
		serves, why := freshnessOf(test.current, test.token)
		require.Equal(t, test.serves, serves, name)
		require.Equal(t, test.reason, why, name)
	}
}

func TestACallerWithATokenMeetsTheSameReplicaAndOthersMeetAll(t *testing.T) {
	t.Parallel()
	cluster := &Cluster{}
	for range 3 {
		cluster.hosts = append(cluster.hosts, &host{state: state{role: replica, applied: 1000}})
	}
	met := func(token func(i int) consistency.Token) int {
		all := map[*host]bool{}
		for i := range 100 {
			found, _ := cluster.freshReplica(token(i))
			all[found] = true
		}
		return len(all)
	}
	require.Equal(t, 3, met(func(int) consistency.Token { return 0 }))
	require.Equal(t, 1, met(func(int) consistency.Token { return 77 }))
	require.Equal(t, 3, met(func(i int) consistency.Token { return consistency.Token(i + 1) }), "callers are spread")
}

func TestOneOfTheHighestEpochIsThePrimaryAndNoOther(t *testing.T) {
	t.Parallel()
	errGone := errors.New("gone")
	for name, test := range map[string]struct {
		states  []state
		seen    uint64
		primary int
		message string
	}{
		"one":                            {[]state{{role: replica}, {role: primary}}, 0, 1, ""},
		"an old one came back":           {[]state{{role: primary, epoch: 2}, {role: primary, epoch: 3}}, 3, 1, ""},
		"an old one only":                {[]state{{role: primary, epoch: 2}, {role: unreachable, err: errGone}}, 3, -1, "was replaced"},
		"a promotion is under way":       {[]state{{role: primary, epoch: 2}, {role: replica, epoch: 3}}, 3, -1, "was replaced"},
		"two of one epoch":               {[]state{{role: primary, epoch: 3}, {role: primary, epoch: 3}}, 3, -1, "more than one server is writable in epoch 3"},
		"an old one between two":         {[]state{{role: primary, epoch: 3}, {role: primary, epoch: 2}, {role: primary, epoch: 3}}, 3, -1, "more than one"},
		"none":                           {[]state{{role: replica}, {role: replica}}, 0, -1, "no server is writable"},
		"one, and one that is not there": {[]state{{role: unreachable, err: errGone}, {role: primary}}, 0, 1, ""},
		"one, and one not looked at yet": {[]state{{role: primary}, {role: unreachable, err: errNotLookedAt}}, 0, -1, "not looked at"},
	} {
		cluster := &Cluster{}
		for _, current := range test.states {
			cluster.hosts = append(cluster.hosts, &host{state: current})
		}
		cluster.epoch.Store(test.seen)
		found, err := cluster.primary()
		if test.primary < 0 {
			require.ErrorContains(t, err, test.message, name)
			continue
		}
		require.NoError(t, err, name)
		require.Same(t, cluster.hosts[test.primary], found, name)
	}
}

func TestTheRoleOfAServerNotYetLookedAtIsShownAsUnknown(t *testing.T) {
	t.Parallel()
	require.Equal(t, role("unknown"), state{role: unreachable, err: errNotLookedAt}.shownRole())
	require.Equal(t, unreachable, state{role: unreachable, err: errors.New("gone")}.shownRole())
	require.Equal(t, primary, state{role: primary}.shownRole())
}

func TestABeatIsDueAfterAWriteAndElseOnceASecond(t *testing.T) {
	t.Parallel()
	cluster := &Cluster{beats: beats{begun: true}}
	cluster.beats.add(100, moment)
	require.False(t, cluster.beatIsDue(moment.Add(idleBeat-1)))
	require.True(t, cluster.beatIsDue(moment.Add(idleBeat)), "nobody has beaten for a second")
	raise(&cluster.wrote, 100)
	require.True(t, cluster.beatIsDue(moment), "a write waits for a beat above its token")
	cluster.beats.add(101, moment.Add(lookInterval))
	require.False(t, cluster.beatIsDue(moment.Add(lookInterval)), "whoever wrote it")
	raise(&cluster.wrote, 50)
	require.EqualValues(t, 100, cluster.wrote.Load())
}
