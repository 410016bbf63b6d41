package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/listing"
)

// The tests here run one after the other: the log of all statements is the whole server's.

func TestTheStatementsOfALogin(t *testing.T) {
	s := newService(t)
	who, inactive := s.Register(t, 1), s.Register(t, 2)
	s.exec(t, "UPDATE members SET is_active = FALSE WHERE id = ?", inactive.MemberID)
	failure := []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "LockLoginFailures", "ListLoginFailures", "StoreLoginFailures", "InsertAuditEvent", "COMMIT",
	}
	for name, test := range map[string]struct{ email, password string }{
		"unknown email": {"nobody@x.test", password}, "wrong password": {who.Email, wrong},
		"inactive": {inactive.Email, password}, "inactive and wrong": {inactive.Email, wrong},
	} {
		for _, client := range []account.Client{attacker, browser} {
			require.Equal(t, failure, s.Statements(t, func() { s.refuse(t, client, test.email, test.password) }), name)
		}
	}
	s.exec(t, "DELETE FROM login_failures")
	require.Equal(t, []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "GetMemberForUpdate", "ListLoginFailures", "UpsertKnownDevice",
		"InsertSession", "InsertRefreshToken", "InsertAuditEvent", "COMMIT",
	}, s.Statements(t, func() { s.Again(t, who) }), "a login from a known device")
	for range 5 {
		s.refuse(t, attacker, who.Email, wrong)
	}
	require.Equal(t, []string{"ListMembersByMailbox", "ListLoginFailures"}, s.Statements(t, func() {
		_, err := s.LogIn(t.Context(), attacker, who.Email, password)
		require.Error(t, err)
	}), "a login that comes too early")
}

func TestLastSeenMovesForwardInOneStatement(t *testing.T) {
	s := newService(t)
	first, second, third := s.Register(t, 1), s.Register(t, 2), s.Register(t, 3)
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
		s.Statements(t, func() { require.NoError(t, s.MarkLastSeen(t.Context(), seen)) }))
	for who, want := range map[registered]time.Time{first: began.Add(2 * time.Minute), second: s.Now(), third: began} {
		session, err := s.Session(t.Context(), who.SessionID)
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

func TestAPageOfMembersTakesThreeStatementsAtMostAndASearchFour(t *testing.T) {
	f := newStore(t)
	f.fill(t)
	terms := query(30, 0)
	terms.Terms = []string{"x.test"}
	named := query(30, 0)
	named.Request = named.Only("name", "kim")
	for name, query := range map[string]account.Query{
		"first page":     query(30, 0),
		"another order":  query(30, 30, listing.Key{Field: "email", Descending: true}),
		"several orders": query(30, 0, listing.Key{Field: "gender"}, listing.Key{Field: "name"}),
		"search":         terms,
		"name":           named,
		"masked":         {Request: terms.Request, EmailsOf: 7},
	} {
		sent := f.Statements(t, func() {
			_, err := f.Members(latest(t), query)
			require.NoError(t, err)
		})
		require.NotEmpty(t, sent, "%s: the log of statements does not work", name)
		most := 3
		if len(query.Terms) > 0 {
			most = 4
		}
		require.LessOrEqual(t, len(sent), most, "%s: %q", name, sent)
	}
}

func TestAPageOfMembersWhoseCountIsRememberedTakesTwoStatements(t *testing.T) {
	f := newLargeStore(t)
	f.requireExactCount(t)
	for _, offset := range []int{0, many / 3, many - 30} {
		require.Len(t, f.Statements(t, func() {
			_, err := f.Members(latest(t), query(30, offset))
			require.NoError(t, err)
		}), 2)
	}
}
