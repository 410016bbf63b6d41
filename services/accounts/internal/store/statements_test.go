package store_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/listing"
	"oms.internal/servers/dbpair"
)

// The tests here run one after the other: the log of all statements is the whole server's.

var queryName = regexp.MustCompile(`^-- name: (\w+)`)

// statements returns what work sends to both servers, the queries by their names.
func (f fixture) statements(t *testing.T, work func()) []string {
	t.Helper()
	const log = "SELECT CONVERT(SUBSTRING_INDEX(argument, CHAR(10), 1) USING utf8mb4) FROM mysql.general_log " +
		"WHERE command_type IN ('Query', 'Execute') AND user_host LIKE ? ORDER BY event_time"
	var lists []func() []string
	for _, server := range []*dbpair.Server{f.Pair.Primary, f.Pair.Replica} {
		root, err := server.OpenRoot()
		require.NoError(t, err)
		defer func() { require.NoError(t, root.Close()) }()
		set := func(variable string) {
			_, err := root.ExecContext(t.Context(), "SET GLOBAL "+variable)
			require.NoError(t, err)
		}
		set("log_output = 'TABLE'")
		set("general_log = 1")
		defer set("general_log = 0")
		list := func() (names []string) {
			rows, err := root.QueryContext(t.Context(), log, f.Schema.App.User+"%")
			require.NoError(t, err)
			defer func() { require.NoError(t, rows.Close()) }()
			for rows.Next() {
				var text string
				require.NoError(t, rows.Scan(&text))
				if name := queryName.FindStringSubmatch(text); name != nil {
					text = name[1]
				}
				if !strings.Contains(text, "heartbeat") && !strings.HasPrefix(text, "SET ") {
					names = append(names, text)
				}
			}
			require.NoError(t, rows.Err())
			return names
		}
		before := len(list())
		lists = append(lists, func() []string { return list()[before:] })
	}
	work()
	return slices.Concat(lists[0](), lists[1]())
}

func TestTheStatementsOfALogin(t *testing.T) {
	s := newService(t)
	who, inactive := s.register(t, 1), s.register(t, 2)
	s.exec(t, "UPDATE members SET is_active = FALSE WHERE id = ?", inactive.MemberID)
	failure := []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "LockLoginFailures", "ListLoginFailures", "AddLoginFailure", "AddLoginFailure", "InsertAuditEvent", "COMMIT",
	}
	for name, test := range map[string]struct{ email, password string }{
		"unknown email": {"nobody@x.test", password}, "wrong password": {who.Email, wrong},
		"inactive": {inactive.Email, password}, "inactive and wrong": {inactive.Email, wrong},
	} {
		for _, client := range []account.Client{attacker, browser} {
			require.Equal(t, failure, s.statements(t, func() { s.refuse(t, client, test.email, test.password) }), name)
		}
	}
	s.exec(t, "DELETE FROM login_failures")
	require.Equal(t, []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "GetMemberForUpdate", "ListLoginFailures", "UpsertKnownDevice",
		"InsertSession", "InsertRefreshToken", "InsertAuditEvent", "COMMIT",
	}, s.statements(t, func() { s.again(t, who) }), "a login from a known device")
	for range 5 {
		s.refuse(t, attacker, who.Email, wrong)
	}
	require.Equal(t, []string{"ListMembersByMailbox", "ListLoginFailures"}, s.statements(t, func() {
		_, err := s.LogIn(t.Context(), attacker, who.Email, password)
		require.Error(t, err)
	}), "a login that comes too early")
}

func TestLastSeenMovesForwardInOneStatement(t *testing.T) {
	s := newService(t)
	first, second, third := s.register(t, 1), s.register(t, 2), s.register(t, 3)
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

func TestAPageOfMembersTakesThreeStatementsAtMost(t *testing.T) {
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
		sent := f.statements(t, func() {
			_, err := f.Members(t.Context(), query)
			require.NoError(t, err)
		})
		require.NotEmpty(t, sent, "%s: the log of statements does not work", name)
		require.LessOrEqual(t, len(sent), 3, "%s: %q", name, sent)
	}
}
