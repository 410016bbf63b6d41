package system

import (
	"database/sql"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const manyRows = 20_000

// fill stores many sessions, refresh tokens, revocations, counters, devices and events.
func (s *system) fill(t *testing.T) {
	t.Helper()
	s.exec(t, "CREATE TABLE numbers (n INT PRIMARY KEY)")
	s.exec(t, "INSERT INTO numbers VALUES (0)")
	for rows := 1; rows < manyRows; rows *= 2 {
		s.exec(t, "INSERT INTO numbers SELECT n + ? FROM numbers WHERE n + ? < ?", rows, rows, manyRows)
	}
	for _, statement := range []string{
		`INSERT INTO sessions (member_id, created_at, expires_at, revoked_at)
			SELECT 1 + n % 200, ?, DATE_ADD(?, INTERVAL n SECOND), IF(n % 4 = 0, '2026-11-23', NULL) FROM numbers`,
		`INSERT INTO refresh_tokens (token_hash, session_id, salt, expires_at)
			SELECT UNHEX(SHA2(n, 256)), n + 1, UNHEX(SHA2(-n, 256)), DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM numbers`,
		`INSERT INTO revocations (sequence, session_id, valid_until) SELECT n + 1, n + 1, DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM numbers`,
		`INSERT INTO login_failures (subject, failures, failed_at) SELECT UNHEX(SHA2(n, 256)), 1, DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM numbers`,
		`INSERT INTO known_devices (member_id, device, login_at)
			SELECT 1 + n % 2000, UNHEX(SHA2(n, 256)), DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM numbers`,
		`INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail)
			SELECT DATE_ADD(?, INTERVAL n + DAY(?) SECOND), ELT(1 + n % 7, 'login', 'logout', 'sign_up', 'session_end', 'member_update',
				'member_delete', 'logout_all'), n % 500, n % 700, '192.0.2.1', IF(n % 20 = 0, 'failure', 'success'), '', '' FROM numbers`,
	} {
		s.exec(t, statement, s.time(), s.time())
	}
	s.exec(t, "ANALYZE TABLE sessions, refresh_tokens, revocations, login_failures, known_devices, audit_events")
}

var (
	queryStart = regexp.MustCompile(`(?m)^-- name: (\w+) :\w+\n`)
	slices     = regexp.MustCompile(`sqlc\.slice\(\w+\)`)
	arguments  = regexp.MustCompile(`sqlc\.n?arg\((\w+)\)`)
)

// query returns a query by its name, with its arguments written into it: named ones by name, the others in order.
func query(t *testing.T, name string, named map[string]string, ordered ...string) string {
	t.Helper()
	for _, file := range []string{"sessions", "refresh_tokens", "revocations", "throttle", "audit"} {
		content, err := os.ReadFile("../../../../sql/accounts/queries/" + file + ".sql")
		require.NoError(t, err)
		text := string(content)
		for _, at := range queryStart.FindAllStringSubmatchIndex(text, -1) {
			if text[at[2]:at[3]] != name {
				continue
			}
			text, _, _ = strings.Cut(text[at[1]:], ";")
			text = slices.ReplaceAllString(text, "1, 2, 3")
			text = arguments.ReplaceAllStringFunc(text, func(argument string) string {
				value, known := named[arguments.FindStringSubmatch(argument)[1]]
				require.True(t, known, "%s: %s", name, argument)
				return value
			})
			for _, value := range ordered {
				text = strings.Replace(text, "?", value, 1)
			}
			return text
		}
	}
	require.FailNow(t, "no such query", name)
	return ""
}

// plan is what EXPLAIN says of one table.
type plan struct{ table, access, key, extra string }

func (s *system) explain(t *testing.T, statement string) []plan {
	t.Helper()
	rows, err := s.root.QueryContext(t.Context(), "EXPLAIN FORMAT=TRADITIONAL "+statement)
	require.NoError(t, err, statement)
	defer func() { require.NoError(t, rows.Close()) }()
	names, err := rows.Columns()
	require.NoError(t, err)
	var plans []plan
	for rows.Next() {
		values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		row := map[string]string{}
		for i, name := range names {
			row[strings.ToLower(name)] = values[i].String
		}
		plans = append(plans, plan{row["table"], row["type"], row["key"], row["extra"]})
	}
	require.NoError(t, rows.Err())
	return plans
}

func TestNewQueriesUseTheirIndexes(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	s.fill(t)
	at := func(after time.Duration) string { return "'" + s.time().Add(after).Format(time.DateTime) + "'" }
	now, later := at(0), at(time.Hour)
	filter := func(name, value string) map[string]string {
		all := map[string]string{
			"action": "''", "outcome": "''", "actor": "NULL", "subject": "NULL", "since_at": at(-time.Hour), "before_at": at(1000 * time.Hour),
		}
		if name != "" {
			all[name] = value
		}
		return all
	}
	hash := "UNHEX(SHA2(7, 256))"
	for _, test := range []struct {
		statement string
		key       string
	}{
		{query(t, "ListLiveSessionIDs", nil, "7", now, "30", "0"), "sessions_live"},
		{query(t, "CountLiveSessions", nil, "7", now), "sessions_live"},
		{query(t, "ListSessionsByIDs", nil), "PRIMARY"},
		{query(t, "ListRevocations", map[string]string{"after": strconv.Itoa(manyRows - 100), "latest": strconv.Itoa(manyRows), "now": now}, "5000"), "PRIMARY"},
		{query(t, "ListRevocations", map[string]string{"after": "0", "latest": strconv.Itoa(manyRows), "now": now}, "5000"), "PRIMARY"},
		{query(t, "GetRefreshTokenForUpdate", nil, hash), "PRIMARY"},
		{query(t, "DeleteExpiredRefreshTokens", nil, later, "1000"), "refresh_tokens_expires"},
		{query(t, "DeleteExpiredSessions", nil, later, "1000"), "sessions_expires"},
		{query(t, "DeleteExpiredRevocations", nil, later, "1000"), "revocations_valid"},
		{query(t, "DeleteOldLoginFailures", nil, later, "1000"), "login_failures_failed"},
		{query(t, "DeleteOldKnownDevices", nil, later, "1000"), "known_devices_login"},
		{query(t, "ListAuditEventIDs", filter("", ""), "30", "0"), "audit_events_at"},
		{query(t, "ListAuditEventIDs", filter("", ""), "30", "15000"), "audit_events_at"},
		{query(t, "CountAuditEvents", filter("", "")), "audit_events_at"},
		{query(t, "ListAuditEventIDsByAction", filter("action", "'logout'"), "30", "2000"), "audit_events_action"},
		{query(t, "CountAuditEventsByAction", filter("action", "'logout'")), "audit_events_action"},
		{query(t, "ListAuditEventIDsByActor", filter("actor", "7"), "30", "0"), "audit_events_actor"},
		{query(t, "CountAuditEventsByActor", filter("actor", "7")), "audit_events_actor"},
		{query(t, "ListAuditEventIDsBySubject", filter("subject", "7"), "30", "0"), "audit_events_subject"},
		{query(t, "CountAuditEventsBySubject", filter("subject", "7")), "audit_events_subject"},
		{query(t, "ListAuditEventIDsByOutcome", filter("outcome", "'failure'"), "30", "500"), "audit_events_outcome"},
		{query(t, "CountAuditEventsByOutcome", filter("outcome", "'failure'")), "audit_events_outcome"},
		{query(t, "ListAuditEventsByIDs", nil), "PRIMARY"},
	} {
		for _, step := range s.explain(t, test.statement) {
			require.Equal(t, test.key, step.key, "%s\n%+v", test.statement, step)
			require.NotContains(t, step.extra, "filesort", test.statement)
			require.NotContains(t, step.extra, "temporary", test.statement)
			require.NotEqual(t, "ALL", step.access, test.statement)
			if strings.HasPrefix(test.statement, "SELECT id") || strings.HasPrefix(test.statement, "SELECT COUNT") {
				require.Contains(t, step.extra, "Using index", "%s: a page skips index entries and never rows", test.statement)
			}
		}
	}
}
