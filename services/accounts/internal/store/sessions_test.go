package store_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// revoked lists the ids of all sessions that are revoked and not expired at now. What the sessions say of themselves and
// what the gateways are told must be the same.
func (f fixture) revoked(t *testing.T) []uint64 {
	t.Helper()
	revocations, latest, err := f.Revocations(t.Context(), 0, now, 1000)
	require.NoError(t, err)
	require.Len(t, revocations, int(latest), "the numbers have gaps")
	rows, err := f.db.QueryContext(t.Context(), "SELECT id, member_id, revoked_at IS NOT NULL FROM sessions WHERE expires_at > ? ORDER BY id", now)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	ids := []uint64{}
	for rows.Next() {
		var session account.Session
		require.NoError(t, rows.Scan(&session.ID, &session.MemberID, &session.Revoked))
		told := slices.ContainsFunc(revocations, func(told account.Revocation) bool { return covers(told, session) })
		require.Equal(t, session.Revoked, told, "session %d, revocations %+v", session.ID, revocations)
		if session.Revoked {
			ids = append(ids, session.ID)
		}
	}
	require.NoError(t, rows.Err())
	return ids
}

// covers reports whether a revocation ends a session, as the gateways read it.
func covers(revocation account.Revocation, session account.Session) bool {
	if revocation.SessionID != 0 {
		return revocation.SessionID == session.ID
	}
	return revocation.MemberID == session.MemberID && session.ID <= revocation.ThroughSession && session.ID != revocation.ExceptSession
}

func TestALoginStoresASessionAndReplacesTheHashThatItSawWhileTheMemberIsActive(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	locked, session, err := f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, rehashing("a newer hash"))
	require.NoError(t, err)
	require.Equal(t, f.get(t, member.ID), locked)
	require.Equal(t, account.Session{ID: session.ID, MemberID: member.ID, CreatedAt: now, ExpiresAt: later}, session)
	require.Greater(t, session.ID, first.ID)
	require.Equal(t, "a newer hash", f.get(t, member.ID).PasswordHash)
	require.Equal(t, uint64(2), f.get(t, member.ID).Version)

	_, _, err = f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, rehashing("from an older login"))
	require.ErrorIs(t, err, account.ErrPasswordChanged)
	_, _, err = f.UpdateMember(t.Context(), member.ID, changing(func(member *account.Member) { member.Active = false }))
	require.NoError(t, err)
	_, _, err = f.CreateSession(t.Context(), locked, account.Session{CreatedAt: now, ExpiresAt: later}, rehashing("of an inactive member"))
	requireCode(t, fault.Forbidden, err)
	_, sessions := f.rows(t)
	require.Equal(t, 2, sessions)
	require.Equal(t, "a newer hash", f.get(t, member.ID).PasswordHash, "a password that changed meanwhile was undone")
}

func TestALogoutEndsOneSessionOfItsMemberOnce(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	other, othersSession := f.create(t, dream)
	second := f.logIn(t, member, later)

	end := func(memberID, sessionID uint64, ending account.Ending) []account.Revocation {
		revocations, err := f.RevokeSession(t.Context(), memberID, sessionID, ending)
		require.NoError(t, err)
		return revocations
	}
	require.Empty(t, end(other.ID, first.ID, ending()))
	require.Empty(t, f.revoked(t), "a session of somebody else was ended")
	require.Empty(t, end(member.ID, 12345, ending()))
	require.Empty(t, f.revoked(t))

	require.Equal(t, []account.Revocation{{Sequence: 1, SessionID: first.ID, Until: until}}, end(member.ID, first.ID, ending()))
	require.Equal(t, []uint64{first.ID}, f.revoked(t))
	again := ending()
	again.At = now.Add(time.Hour)
	require.Empty(t, end(member.ID, first.ID, again))
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
	revocations, err := f.RevokeSessions(t.Context(), member.ID, ending())
	require.NoError(t, err)
	require.Equal(t, []account.Revocation{{Sequence: 1, MemberID: member.ID, ThroughSession: second.ID, Until: until}}, revocations)
	third := f.logIn(t, member, later)
	require.Greater(t, third.ID, second.ID)
	require.Equal(t, []uint64{first.ID, second.ID}, f.revoked(t))
	require.NotContains(t, f.revoked(t), othersSession.ID)
}

func TestADeletionEndsAllSessionsAndNoLaterOneBegins(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, first := f.create(t, sungi)
	other, _ := f.create(t, dream)
	second := f.logIn(t, member, later)
	revocations, err := f.DeleteMember(t.Context(), member.ID, anyVersion, ending())
	require.NoError(t, err)
	require.Equal(t, []account.Revocation{{Sequence: 1, MemberID: member.ID, ThroughSession: math.MaxInt64, Until: until}}, revocations)
	require.Equal(t, []uint64{first.ID, second.ID}, f.revoked(t))
	_, _, err = f.CreateSession(t.Context(), member, account.Session{CreatedAt: now, ExpiresAt: later}, loginRecord())
	requireCode(t, fault.NotFound, err)
	_, err = f.DeleteMember(t.Context(), member.ID, anyVersion, ending())
	requireCode(t, fault.NotFound, err)
	require.Equal(t, other, f.get(t, other.ID))

	again, _ := f.create(t, sungi)
	require.Greater(t, again.ID, member.ID, "an id was used again")
}

func TestAMemberSeesItsLiveSessionsNewestFirst(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.Register(t, 0)
	first := s.Register(t, 1)
	s.Advance(time.Hour)
	client := account.Client{Address: "2001:db8:1111:2222:3333:4444:255.255.255.255", UserAgent: strings.Repeat("ü", account.MaxUserAgent)}
	login, err := s.LogIn(t.Context(), client, first.Email, password)
	require.NoError(t, err)
	second, third, fourth := s.Again(t, first), s.Again(t, first), accounttest.RegisteredBy(t, login)
	_, err = s.LogOut(t.Context(), second.Principal)
	require.NoError(t, err)

	list := func(limit, offset int) (ids []uint64) {
		page, err := s.Sessions(t.Context(), first.Principal, listing.Request{Limit: limit, Offset: offset})
		require.NoError(t, err)
		for _, session := range page.Values {
			ids = append(ids, session.ID)
		}
		return ids
	}
	require.Equal(t, []uint64{third.SessionID, fourth.SessionID, first.SessionID}, list(30, 0))
	require.Equal(t, []uint64{fourth.SessionID}, list(1, 1))
	page, err := s.Sessions(t.Context(), first.Principal, listing.Request{Limit: 1, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, 3, page.Count)
	require.Equal(t, account.Session{
		ID: fourth.SessionID, MemberID: first.MemberID, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(accounttest.RefreshLifetime),
		TokenExpiresAt: s.Now().Add(accounttest.TokenLifetime), LastSeenAt: s.Now(), Address: client.Address, UserAgent: client.UserAgent,
	}, page.Values[0])
	s.Advance(accounttest.RefreshLifetime - time.Hour)
	require.Equal(t, []uint64{third.SessionID, fourth.SessionID}, list(30, 0), "the first has expired")
}

func TestRevocationsComeInPagesWithoutExpiredOnes(t *testing.T) {
	t.Parallel()
	f := newStore(t)
	member, _ := f.create(t, sungi)
	var want []account.Revocation
	made := uint64(0)
	for i := range 12 {
		until := until
		if i%4 == 3 {
			until = now
		}
		session := f.logIn(t, member, until.Add(-account.RevocationMargin))
		if i%3 == 0 {
			continue
		}
		made++
		_, err := f.RevokeSession(t.Context(), member.ID, session.ID, account.Ending{At: now, Until: until})
		require.NoError(t, err)
		if until.After(now) {
			want = append(want, account.Revocation{Sequence: made, SessionID: session.ID, Until: until})
		}
	}
	require.Len(t, want, 6)
	var got []account.Revocation
	after := uint64(0)
	for {
		page, latest, err := f.Revocations(t.Context(), after, now, 4)
		require.NoError(t, err)
		got, after = append(got, page...), latest
		if len(page) < 4 {
			break
		}
		require.Equal(t, page[3].Sequence, latest, "a full page is complete up to its last row")
	}
	require.Equal(t, want, got)
	require.Equal(t, made, after, "the last page tells of the expired ones behind it too")
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
