package plans_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx/mysqlxtest"
)

var (
	now   = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	later = now.Add(10 * time.Hour)
)

// What fill makes.
const (
	manyRows  = 200_000 // members, and as many sessions
	fewRows   = 20_000  // more sessions, a hundred for each of some members, and rows in every other table
	someEmail = "m000100@x.test"
	frequent  = "Kim"    // one member in ten
	rare      = "rareaa" // some dozens of members
)

// otherRows make the rows of the other tables, each from a number and two times, so that they expire one by one.
var otherRows = []string{
	`INSERT INTO sessions (member_id, created_at, expires_at, revoked_at)
		SELECT 1 + n % 200, ?, DATE_ADD(?, INTERVAL n SECOND), IF(n % 4 = 0, '2026-11-23', NULL) FROM `,
	`INSERT INTO refresh_tokens (token_hash, session_id, salt, expires_at)
		SELECT UNHEX(SHA2(n, 256)), n + 1, UNHEX(SHA2(-n, 256)), DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM `,
	`INSERT INTO knox_tokens (digest, session_id, expires_at)
		SELECT UNHEX(SHA2(n, 512)), n + 1, DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM `,
	`INSERT INTO drf_imports (id, source, here) SELECT n + 1, UNHEX(SHA2(?, 256)), UNHEX(SHA2(?, 256)) FROM `,
	`INSERT INTO revocations (sequence, session_id, valid_until) SELECT n + 1, n + 1, DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM `,
	`INSERT INTO login_failures (subject, failures, failed_at) SELECT UNHEX(SHA2(n, 256)), 1, DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM `,
	`INSERT INTO known_devices (member_id, device, login_at)
		SELECT 1 + n % 2000, UNHEX(SHA2(n, 256)), DATE_ADD(?, INTERVAL n + DAY(?) SECOND) FROM `,
	`INSERT INTO audit_events (at, action, actor, subject, address, outcome, request_id, detail)
		SELECT DATE_ADD(?, INTERVAL n + DAY(?) SECOND), ELT(1 + n % 7, 'login', 'logout', 'sign_up', 'session_end', 'member_update',
			'member_delete', 'logout_all'), n % 500, n % 700, '192.0.2.1', IF(n % 20 = 0, 'failure', 'success'), '', '' FROM `,
}

// fill makes members and sessions as a large installation has them: one name is frequent and the others are rare, few
// members are admins or inactive, few sessions are revoked and few have expired. Most keys grow at their ends, so that this
// takes seconds.
func fill(t *testing.T, d mysqlxtest.Database) {
	t.Helper()
	run := d.OnPrimaryAlone(t)
	run("SET SESSION unique_checks = 0")
	run(`INSERT INTO members (email, mailbox_email, email_key, mailbox, name, nickname, phone, gender, password_hash, is_admin, is_active, created_at)
		SELECT CONCAT('m', LPAD(n, 6, '0'), '@x.test'), IF(n % 1000 = 7, '', CONCAT('m', LPAD(n, 6, '0'), '@x.test')), CONCAT('m', LPAD(n, 6, '0'), '@x.test'),
			IF(n % 1000 = 7, NULL, CONCAT('m', LPAD(n, 6, '0'), '@x.test')),
			IF(n % 10 = 0, ?, CONCAT('rare', CHAR(97 + n DIV 2600 % 26), CHAR(97 + n DIV 100 % 26))),
			CONCAT('nick', CHAR(97 + n DIV 10000)), CONCAT('010', LPAD(n DIV 2, 8, '0')), ELT(1 + n % 3, 'M', 'F', NULL),
			REPEAT('h', 97), n % 1000 = 7, n % 50 <> 3, DATE_ADD(?, INTERVAL n SECOND) FROM `+mysqlxtest.Numbers(manyRows)+" ORDER BY n", frequent, now)
	run(`INSERT INTO sessions (member_id, created_at, expires_at, revoked_at)
		SELECT 1 + n DIV 2, ?, IF(n % 100 = 0, ?, ?), IF(n % 50 = 0, ?, NULL) FROM `+mysqlxtest.Numbers(manyRows)+" ORDER BY n", now, now.Add(-time.Hour), later, now)
	for _, statement := range otherRows {
		run(statement+mysqlxtest.Numbers(fewRows)+" ORDER BY n", now, now)
	}
	run("INSERT INTO member_moves (member_id, gained, at) SELECT id, -1, UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE FROM members WHERE id % 10 = 1")
	// The pieces of as many members as a search reads at most, and those of all but a few are known.
	run("INSERT INTO member_grams (gram, member_id) SELECT '@x.', id FROM members WHERE id % 10 = 1 UNION ALL SELECT 'kim', id FROM members WHERE name = ?", frequent)
	run("INSERT INTO member_grams (gram, member_id) SELECT RIGHT(nickname, 1), id FROM members ORDER BY 1, 2")
	run("UPDATE members SET grams_name = name, grams_email = email WHERE id % 10000 <> 7")
	run("ANALYZE TABLE members, member_grams, member_moves, sessions, refresh_tokens, knox_tokens, drf_imports, revocations, login_failures, known_devices, audit_events")
	for query, want := range map[string]int{
		"SELECT COUNT(*) FROM members":                                               manyRows,
		"SELECT COUNT(*) FROM sessions":                                              manyRows + fewRows,
		"SELECT COUNT(*) FROM members WHERE name = '" + frequent + "'":               manyRows / 10,
		"SELECT COUNT(*) FROM members WHERE email_key = '" + someEmail + "'":         1,
		"SELECT SIGN(COUNT(*)) FROM members WHERE name = '" + rare + "'":             1,
		"SELECT COUNT(*) FROM refresh_tokens WHERE token_hash = UNHEX(SHA2(7, 256))": 1,
		"SELECT COUNT(*) FROM knox_tokens WHERE digest = UNHEX(SHA2(7, 512))":        1,
	} {
		var count int
		require.NoError(t, d.Root.QueryRowContext(t.Context(), query).Scan(&count))
		require.Equal(t, want, count, query)
	}
}
