package system

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/listing"
)

func ids(sessions []account.Session) []uint64 {
	var result []uint64
	for _, session := range sessions {
		result = append(result, session.ID)
	}
	return result
}

func TestAMemberSeesItsLiveSessionsNewestFirst(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.signUp(t, 0)
	first := s.signUp(t, 1)
	s.Advance(time.Hour)
	second, third, fourth := s.again(t, first), s.again(t, first), s.again(t, first)
	_, err := s.LogOut(t.Context(), second.Principal)
	require.NoError(t, err)

	list := func(limit, offset int) ([]account.Session, int) {
		page, err := s.Sessions(t.Context(), first.Principal, listing.Request{Limit: limit, Offset: offset})
		require.NoError(t, err)
		return page.Values, page.Count
	}
	sessions, count := list(30, 0)
	require.Equal(t, []uint64{fourth.SessionID, third.SessionID, first.SessionID}, ids(sessions))
	require.Equal(t, 3, count)
	require.Equal(t, account.Session{
		ID: fourth.SessionID, MemberID: first.MemberID, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(refreshLifetime),
		TokenExpiresAt: s.Now().Add(tokenLifetime), LastSeenAt: s.Now(),
		Address: browser.Address, UserAgent: browser.UserAgent,
	}, sessions[0])
	sessions, count = list(1, 1)
	require.Equal(t, []uint64{third.SessionID}, ids(sessions))
	require.Equal(t, 3, count)

	s.Advance(refreshLifetime - time.Hour)
	sessions, _ = list(30, 0)
	require.Equal(t, []uint64{fourth.SessionID, third.SessionID}, ids(sessions), "the first has expired")
}

func TestWhatAClientSaysOfItselfIsCleanedAndCut(t *testing.T) {
	t.Parallel()
	client := account.NewClient(authn.Principal{Address: "::ffff:192.0.2.1"}, "a\r\n\x00b\xff"+strings.Repeat("ü", 300))
	require.Equal(t, "192.0.2.1", client.Address)
	require.Equal(t, "ab\uFFFD"+strings.Repeat("ü", 197), client.UserAgent)
	require.Empty(t, account.NewClient(authn.Principal{Address: "no address"}, "").Address)
	require.Equal(t, "fe80::1", account.NewClient(authn.Principal{Address: "fe80::1%eth0"}, "").Address)

	s := newSystem(t)
	_, _, err := s.SignUp(t.Context(), client, account.NewMember{Email: "a@x.test", Password: password}, "")
	require.NoError(t, err)
	require.Equal(t, 1, s.number(t, "SELECT COUNT(*) FROM sessions WHERE user_agent = ?", client.UserAgent))
}

func TestLastSeenMovesForwardInOneStatement(t *testing.T) {
	// Not parallel: see TestTheStatementsOfALogin.
	s := newSystem(t)
	first, second, third := s.signUp(t, 1), s.signUp(t, 2), s.signUp(t, 3)
	began := s.Now()
	s.exec(t, "UPDATE sessions SET last_seen_at = NULL WHERE id = ?", second.SessionID)
	s.Advance(time.Hour)
	seen := []account.LastSeen{
		{SessionID: first.SessionID, At: began.Add(time.Minute)},
		{SessionID: first.SessionID, At: began.Add(2*time.Minute + time.Nanosecond)},
		{SessionID: second.SessionID, At: began.Add(100 * time.Hour)}, // a clock ahead
		{SessionID: third.SessionID, At: began.Add(-time.Minute)},
		{SessionID: 12345, At: began},
	}
	require.Equal(t, []string{"START TRANSACTION", "UpdateSessionsSeen", "COMMIT"},
		s.statements(t, func() { require.NoError(t, s.MarkLastSeen(t.Context(), seen)) }))
	for who, want := range map[member]time.Time{first: began.Add(2 * time.Minute), second: s.Now(), third: began} {
		session, err := s.store.Session(t.Context(), who.SessionID)
		require.NoError(t, err)
		require.Equal(t, want, session.LastSeenAt)
	}
	require.NoError(t, s.MarkLastSeen(t.Context(), nil))
	many := make([]account.LastSeen, 1000)
	for i := range many {
		many[i] = account.LastSeen{SessionID: uint64(i + 1), At: s.Now()}
	}
	require.NoError(t, s.MarkLastSeen(t.Context(), many))
	require.Equal(t, 3, s.number(t, "SELECT COUNT(*) FROM sessions WHERE last_seen_at = ?", s.Now()))
}
