package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/fault"
)

// revoked lists the ids of all sessions that are revoked and not expired at now.
func (f fixture) revoked(t *testing.T) []uint64 {
	t.Helper()
	sessions, err := f.RevokedSessions(t.Context(), 0, now, 1000)
	require.NoError(t, err)
	ids := []uint64{}
	for _, session := range sessions {
		ids = append(ids, session.ID)
	}
	return ids
}

func TestALoginStoresASessionAndReplacesTheHashThatItSaw(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	session, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, "a newer hash")
	require.NoError(t, err)
	require.Equal(t, account.Session{ID: session.ID, MemberID: member.ID, CreatedAt: now, ExpiresAt: later}, session)
	require.Greater(t, session.ID, first.ID)
	require.Equal(t, "a newer hash", f.get(t, member.ID).PasswordHash)

	_, err = f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, "from an older login")
	require.NoError(t, err)
	require.Equal(t, "a newer hash", f.get(t, member.ID).PasswordHash, "a password that changed meanwhile was undone")
}

func TestAnInactiveMemberGetsNoSession(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	inactive := sungi
	inactive.Active = false
	member, _ := f.create(t, inactive)
	_, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, "x")
	requireCode(t, fault.Forbidden, err)
	_, sessions := f.rows(t)
	require.Equal(t, 1, sessions)
	require.Equal(t, inactive.PasswordHash, f.get(t, member.ID).PasswordHash)
}

func TestALogoutEndsOneSessionOfItsMemberOnce(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	other, othersSession := f.create(t, dream)
	second := f.logIn(t, member, later)

	require.NoError(t, f.RevokeSession(t.Context(), other.ID, first.ID, now))
	require.Empty(t, f.revoked(t), "a session of somebody else was ended")
	require.NoError(t, f.RevokeSession(t.Context(), member.ID, 12345, now))
	require.Empty(t, f.revoked(t))

	require.NoError(t, f.RevokeSession(t.Context(), member.ID, first.ID, now))
	require.Equal(t, []uint64{first.ID}, f.revoked(t))
	require.NoError(t, f.RevokeSession(t.Context(), member.ID, first.ID, now.Add(time.Hour)))
	var at time.Time
	require.NoError(t, f.db.QueryRowContext(t.Context(), "SELECT revoked_at FROM sessions WHERE id = ?", first.ID).Scan(&at))
	require.Equal(t, now, at, "the time of the first logout stays")
	require.NotContains(t, f.revoked(t), second.ID)
	require.NotContains(t, f.revoked(t), othersSession.ID)
}

func TestALogoutOfAllEndsAllSessionsThatThereAre(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	_, othersSession := f.create(t, dream)
	second := f.logIn(t, member, later)
	through, err := f.RevokeSessions(t.Context(), member.ID, now)
	require.NoError(t, err)
	require.Equal(t, second.ID, through)
	third := f.logIn(t, member, later)
	require.Greater(t, third.ID, through)
	require.Equal(t, []uint64{first.ID, second.ID}, f.revoked(t))
	require.NotContains(t, f.revoked(t), othersSession.ID)
}

func TestALogoutOfAllWithoutSessionsIsNoError(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	_, err := f.CreateAdmin(t.Context(), admin)
	require.NoError(t, err)
	member, err := f.MemberByEmail(t.Context(), admin.Email)
	require.NoError(t, err)
	through, err := f.RevokeSessions(t.Context(), member.ID, now)
	require.NoError(t, err)
	require.Zero(t, through)
}

func TestADeletionEndsAllSessionsAndNoLaterOneBegins(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	other, _ := f.create(t, dream)
	second := f.logIn(t, member, later)
	require.NoError(t, f.DeleteMember(t.Context(), member.ID, now))
	require.Equal(t, []uint64{first.ID, second.ID}, f.revoked(t))
	_, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, "x")
	requireCode(t, fault.NotFound, err)
	requireCode(t, fault.NotFound, f.DeleteMember(t.Context(), member.ID, now))
	require.Equal(t, other, f.get(t, other.ID))

	again, _ := f.create(t, sungi)
	require.Greater(t, again.ID, member.ID, "an id was used again")
}

func TestRevokedSessionsComeInPagesWithoutExpiredOnes(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, sungi)
	var want []account.Session
	for i := range 12 {
		expires := later
		if i%4 == 3 {
			expires = now
		}
		session := f.logIn(t, member, expires)
		if i%3 == 0 {
			continue
		}
		require.NoError(t, f.RevokeSession(t.Context(), member.ID, session.ID, now))
		if expires.After(now) {
			want = append(want, account.Session{ID: session.ID, ExpiresAt: expires})
		}
	}
	require.Len(t, want, 6)
	var got []account.Session
	for after := uint64(0); ; after = got[len(got)-1].ID {
		page, err := f.RevokedSessions(t.Context(), after, now, 4)
		require.NoError(t, err)
		got = append(got, page...)
		if len(page) < 4 {
			break
		}
	}
	require.Equal(t, want, got)
}

func TestOnlyExpiredSessionsAreRemovedAndNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, alive := f.create(t, sungi)
	onTime := f.logIn(t, member, now)
	for range 5 {
		f.logIn(t, member, now.Add(-time.Microsecond))
	}
	for _, want := range []int{3, 2, 0} {
		deleted, err := f.DeleteExpiredSessions(t.Context(), now, 3)
		require.NoError(t, err)
		require.Equal(t, want, deleted)
	}
	_, sessions := f.rows(t)
	require.Equal(t, 2, sessions)
	require.Equal(t, 2, f.number(t, "SELECT COUNT(*) FROM sessions WHERE id IN (?, ?)", alive.ID, onTime.ID))
}
