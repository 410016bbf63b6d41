package revocation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/contracts/accounts"
)

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
	memory.Add(nil)
	require.True(t, memory.Revoked(1, 10))
	require.True(t, memory.Revoked(2, 20))

	clock.Advance(time.Second)
	memory.Add(nil)
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

func TestForgettingIsSpreadOverManyCallsAndDoesNotFallBehind(t *testing.T) {
	t.Parallel()
	const old = 10 * forgetAtOnce
	clock := testkit.Noon()
	memory := NewMemory(clock.Now)
	var revocations []accounts.Revocation
	for id := uint64(1); id <= old; id++ {
		revocations = append(revocations, accounts.Revocation{SessionID: id, Until: clock.In(time.Minute)})
	}
	memory.Add(revocations)
	clock.Advance(time.Hour)

	memory.Add([]accounts.Revocation{{SessionID: old + 1, Until: clock.In(time.Hour)}})
	left := memory.Len()
	require.Greater(t, left, 1, "one call must not clean everything")
	require.Less(t, left, old)
	for range 20 {
		memory.Add([]accounts.Revocation{{SessionID: old + 2, Until: clock.In(time.Hour)}})
	}
	require.Equal(t, 2, memory.Len())
	require.Len(t, memory.expiries, 2)
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
			all = append(all, ended{through, except, int64(through + except)})
		}
	}
	return all
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
