package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/servers/dbpair"
)

// fill stores members past the service: signing up takes a hash each.
func (s *surroundings) fill(t *testing.T, count int) {
	t.Helper()
	rows, args := make([]string, count), []any{}
	for i := range rows {
		rows[i] = "(?, ?, '김선기', 'sungi', '01083574364', 'M', 'x', FALSE, TRUE, NOW(6))"
		email := fmt.Sprintf("m%03d@x.test", i)
		args = append(args, email, email)
	}
	_, err := s.db.ExecContext(t.Context(), "INSERT INTO members (email, email_key, name, nickname, phone, gender, password_hash, "+
		"is_admin, is_active, created_at) VALUES "+strings.Join(rows, ", "), args...)
	require.NoError(t, err)
	require.NoError(t, s.Pair.Sync(t.Context()))
}

func everyone(uint64) bool { return true }

var admin = authn.Principal{MemberID: 1, SessionID: 1, Admin: true}

func TestAPageOf30MembersTakesOneNATSRequestAndThreeStatements(t *testing.T) {
	t.Parallel()
	s := newSurroundings(t)
	s.serveLastOrders(t, everyone)
	p := s.start(t)
	p.fill(t, 70)
	statements := p.logStatements(t)
	for name, test := range map[string]struct {
		caller     authn.Principal
		path       string
		statements int
	}{
		"first page":          {admin, "/accounts/users", 3},
		"another order":       {admin, "/accounts/users?ordering=-email&offset=30", 3},
		"several orders":      {admin, "/accounts/users?ordering=gender,name", 3},
		"search":              {admin, "/accounts/users?search=x.test", 3},
		"name":                {admin, "/accounts/users?name=%EA%B9%80%EC%84%A0%EA%B8%B0", 3},
		"a member that is in": {authn.Principal{MemberID: 7, SessionID: 1}, "/accounts/users", 3},
	} {
		before, requests := statements(), p.listen(t, "oms.>")
		got := p.do(t, test.caller, http.MethodGet, test.path, "")
		require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
		require.Equal(t, 1, p.heard(t, requests), "%s: requests over NATS", name)
		after := statements()
		require.LessOrEqual(t, len(after)-len(before), test.statements, "%s: %q", name, after[len(before):])
		require.NotEmpty(t, after[len(before):], "%s: the log of statements does not work", name)

		page := got.object(t)
		require.InDelta(t, 70, page["count"], 0, name)
		members := page["results"].([]any)
		require.Len(t, members, 30, name)
		for _, member := range members {
			member := member.(map[string]any)
			if !test.caller.Admin && member["id"] != float64(test.caller.MemberID) {
				require.NotContains(t, member, "last_order", name)
				continue
			}
			require.Equal(t, map[string]any{
				"id": 1000 + member["id"].(float64), "customer": member["id"], "order_number": "00000000ABCD", "product_name": "꼬막무침 🍤",
				"paymented_at": "2026-11-23T15:36:30.511840+09:00", "state": "paid",
			}, member["last_order"], name)
		}
	}
}

// logStatements makes both servers log what they execute. The function that it returns lists the statements of this
// test's service so far, without those that keep the connections and the roles of the servers and those that look for
// events.
func (s *surroundings) logStatements(t *testing.T) func() []string {
	t.Helper()
	const log = `SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log
		WHERE user_host LIKE ? AND command_type IN ('Query', 'Execute') ORDER BY event_time`
	var lists []func() []string
	for _, server := range []*dbpair.Server{s.Pair.Primary, s.Pair.Replica} {
		root, err := server.OpenRoot()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, root.Close()) })
		_, err = root.ExecContext(t.Context(), "SET GLOBAL log_output = 'TABLE'")
		require.NoError(t, err)
		_, err = root.ExecContext(t.Context(), "SET GLOBAL general_log = ON")
		require.NoError(t, err)
		lists = append(lists, func() []string {
			rows, err := root.QueryContext(t.Context(), log, s.Schema.App.User+"[%")
			require.NoError(t, err)
			defer func() { require.NoError(t, rows.Close()) }()
			var statements []string
			for rows.Next() {
				var statement string
				require.NoError(t, rows.Scan(&statement))
				if !strings.HasPrefix(statement, "SET ") && !strings.Contains(statement, "heartbeat") && !strings.Contains(statement, "outbox") {
					statements = append(statements, statement)
				}
			}
			require.NoError(t, rows.Err())
			return statements
		})
	}
	return func() []string { return append(lists[0](), lists[1]()...) }
}

func TestWithoutOrdersMembersComeInTimeWithoutLastOrdersAndSaySo(t *testing.T) {
	t.Parallel()
	for name, hanging := range map[string]bool{"absent": false, "hanging": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSurroundings(t)
			s.cfg.LastOrdersTimeout = 150 * time.Millisecond
			p := s.start(t)
			p.fill(t, 3)
			if hanging {
				p.listen(t, orders.SubjectLast) // takes requests and never answers
			}
			for _, path := range []string{userPath(1), "/accounts/users"} {
				got := p.do(t, admin, http.MethodGet, path, "")
				require.Equal(t, http.StatusOK, got.status)
				require.Equal(t, "last_order", got.header.Get("Degraded"))
				require.Contains(t, got.body, `"email":"m000@x.test"`)
				require.NotContains(t, got.body, `"last_order"`)
			}
			// What needs no orders is whole.
			got := p.do(t, authn.Principal{MemberID: 2, SessionID: 1}, http.MethodGet, userPath(1), "")
			require.Empty(t, got.header.Get("Degraded"))
		})
	}
}
