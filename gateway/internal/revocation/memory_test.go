package revocation

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/contracts/accounts"
)

// forgetAll has the memory forget what is over.
func forgetAll(memory *Memory) {
	for range shards {
		memory.Add(nil)
	}
}

func TestRevocationEndsWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	memory.Add([]accounts.Revocation{
		{SessionID: 10, MemberID: 1, Until: clock.In(time.Hour)},
		{MemberID: 2, ThroughSession: 20, Until: clock.In(time.Hour)},
	})
	for name, test := range map[string]struct {
		member, session uint64
		revoked         bool
	}{
		"the session":                     {1, 10, true},
		"another session of the member":   {1, 9, false},
		"a session of the ended member":   {2, 5, true},
		"the last of its ended sessions":  {2, 20, true},
		"a session that it began later":   {2, 21, false},
		"an early session of someone":     {3, 5, false},
		"a later session of someone else": {1, 21, false},
	} {
		require.Equal(t, test.revoked, memory.Revoked(test.member, test.session), name)
	}
}

func TestTwoRevocationsOfAMemberBothHold(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"in order": {0, 1}, "out of order": {1, 0}, "repeated": {0, 1, 0}} {
		clock := testkit.Noon()
		memory := NewMemory(clock.Now)
		both := []accounts.Revocation{
			{MemberID: 2, ThroughSession: 20, Until: clock.In(time.Hour)},
			{MemberID: 2, ThroughSession: 30, Until: clock.In(2 * time.Hour)},
		}
		for _, i := range order {
			memory.Add(both[i : i+1])
		}
		require.True(t, memory.Revoked(2, 20), name)
		require.True(t, memory.Revoked(2, 30), name)
		require.False(t, memory.Revoked(2, 31), name)
		clock.Advance(90 * time.Minute)
		memory.Add(nil)
		require.True(t, memory.Revoked(2, 30), name)
		require.Equal(t, 1, memory.Len(), name)
	}
}

func TestRevocationHoldsUntilItsTokensHaveExpiredAndIsThenForgotten(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	until := clock.In(time.Hour)
	memory.Add([]accounts.Revocation{
		{SessionID: 10, Until: until},
		{SessionID: 11, Until: until.Add(time.Minute)},
		{MemberID: 2, ThroughSession: 20, Until: until},
	})
	require.Equal(t, 3, memory.Len())

	clock.Advance(time.Hour)
	forgetAll(memory)
	require.True(t, memory.Revoked(1, 10))
	require.True(t, memory.Revoked(2, 20))

	clock.Advance(time.Second)
	forgetAll(memory)
	require.Equal(t, 1, memory.Len())
	require.True(t, memory.Revoked(1, 11))
}

func TestWhatIsOverIsNotRemembered(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	memory.Add([]accounts.Revocation{{SessionID: 10, Until: clock.In(-time.Minute)}, {SessionID: 11}, {}})
	require.Zero(t, memory.Len())
}

func TestForgettingIsSpreadOverManyCallsAndGivesTheMemoryBack(t *testing.T) {
	t.Parallel()
	const old = 20 * shards
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	memory.Add(endedSessions(1, old, clock.In(time.Minute)))
	clock.Advance(time.Hour)

	memory.Add(endedSessions(old+1, 1, clock.In(time.Hour)))
	left := memory.Len()
	require.Greater(t, left, old/2, "one call must not clean everything")
	require.Less(t, left, old+1)
	forgetAll(memory)
	require.Equal(t, 1, memory.Len())
	for _, part := range memory.sessions.parts {
		require.Less(t, cap(part.ids), 8)
	}
}

// endedSessions are sessions with ids that follow each other.
func endedSessions(first uint64, count int, until time.Time) []accounts.Revocation {
	revocations := make([]accounts.Revocation, count)
	for i := range revocations {
		revocations[i] = accounts.Revocation{SessionID: first + uint64(i), Until: until}
	}
	return revocations
}

// An eighth of a million shows what a million takes, because the slices grow in proportion. With the race detector, which checks each
// byte that an insertion moves, a million would take long. Not parallel: the test looks at the memory of the whole process.
func TestAMillionRevocationsLeaveTheGatewayRoomForItsRequests(t *testing.T) {
	const count, page = 125_000, 1_000
	for name, test := range map[string]struct {
		revocation func(id uint64) accounts.Revocation
		most       uint64 // MiB for a million
	}{
		"of sessions, in the order of their ids": {func(id uint64) accounts.Revocation { return accounts.Revocation{SessionID: id} }, 18},
		"of sessions, in any order": {
			func(id uint64) accounts.Revocation { return accounts.Revocation{SessionID: id * 7919 % 125_003} }, 18,
		},
		"of members": {func(id uint64) accounts.Revocation { return accounts.Revocation{MemberID: id, ThroughSession: id} }, 30},
	} {
		clock := testkit.Noon()
		memory, before := NewMemory(clock.Now), liveHeap()
		for first := uint64(1); first <= count; first += page {
			revocations := make([]accounts.Revocation, page)
			for i := range revocations {
				revocations[i] = test.revocation(first + uint64(i))
				revocations[i].Until = clock.In(10 * time.Hour)
			}
			memory.Add(revocations)
		}
		require.Equal(t, count, memory.Len(), name)
		taken := (liveHeap() - before) * 8 >> 20
		require.LessOrEqual(t, taken, test.most, name)
		t.Logf("%s: %d MiB for a million", name, taken)
		require.True(t, memory.Revoked(77, 77), name)
		require.False(t, memory.Revoked(2*count, 2*count), name)
	}
}

// liveHeap is what is left once garbage is gone, in bytes.
func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestJoinedRevocationsCoverExactlyWhatTheTwoCover(t *testing.T) {
	t.Parallel()
	for _, a := range everyEnded() {
		for _, b := range everyEnded() {
			joined := join(a, b)
			require.Equal(t, max(a.until, b.until), joined.until)
			for session := uint64(1); session <= 5; session++ {
				require.Equal(t, a.covers(session) || b.covers(session), joined.covers(session), "%v and %v: %d", a, b, session)
			}
		}
	}
}

func everyEnded() []ended {
	var all []ended
	for through := uint64(1); through <= 4; through++ {
		for except := range uint64(6) {
			all = append(all, newEnded(through, except, uint32(through+except)))
		}
	}
	return all
}

func TestASessionThatIsTooFarBelowToBeToldEndsWithTheOthers(t *testing.T) {
	t.Parallel()
	for below, ends := range map[uint64]bool{0: false, 1: false, math.MaxUint32 - 1: false, math.MaxUint32: true, math.MaxUint32 + 1: true, 1 << 40: true} {
		const through = 1 << 50
		require.Equal(t, ends, newEnded(through, through-below, 1).covers(through-below), below)
		require.True(t, newEnded(through, through-below, 1).covers(through-below-1))
	}
}

func TestPasswordChangeLeavesTheSessionThatMadeIt(t *testing.T) {
	t.Parallel()
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	memory.Add([]accounts.Revocation{{MemberID: 2, ThroughSession: 20, ExceptSession: 15, Until: clock.In(time.Hour)}})
	require.True(t, memory.Revoked(2, 14))
	require.False(t, memory.Revoked(2, 15))
	require.True(t, memory.Revoked(2, 20))
	memory.Add([]accounts.Revocation{{SessionID: 15, MemberID: 2, Until: clock.In(time.Hour)}})
	require.True(t, memory.Revoked(2, 15), "it may log out later")
}
