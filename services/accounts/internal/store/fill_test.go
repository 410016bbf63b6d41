package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// someEmail is one of those that fillMany makes: MD5('100').
const someEmail = "f899139df5e1059396431415e770c6dd@x.test"

// numbers is a common table expression with the numbers from 0 to manyRows-1.
var numbers = fmt.Sprintf(`WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
	UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9),
	numbers AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS n
		FROM digits a, digits b, digits c, digits d, digits e, digits f WHERE f.d < 2 HAVING n < %d)`, manyRows)

// fillMany makes members and sessions as a large installation has them: one member in ten is called Kim, most names are
// rare, emails are in no order, few sessions are revoked and few have expired.
func (f fixture) fillMany(t *testing.T) {
	t.Helper()
	began := time.Now()
	f.run(t, `INSERT INTO members (email, email_key, name, nickname, phone, gender, password_hash, is_admin, is_active, created_at) `+
		numbers+` SELECT CONCAT(MD5(n), '@x.test'), CONCAT(MD5(n), '@x.test'),
			IF(n % 10 = 0, 'Kim', CONCAT('rare', CHAR(97 + n DIV 26 % 26), CHAR(97 + n % 26))),
			CONCAT('nick', CHAR(97 + n % 26)), CONCAT('010', LPAD(n * 7919 % 100000, 8, '0')), ELT(1 + n % 3, 'M', 'F', NULL),
			REPEAT('h', 97), FALSE, TRUE, ?
		FROM numbers ORDER BY n`, now)
	println("members", time.Since(began).String())
	f.run(t, `INSERT INTO sessions (member_id, created_at, expires_at, revoked_at) `+
		numbers+` SELECT 1 + n * 7919 % ?, ?, IF(n % 100 = 0, ?, ?), IF(n % 50 = 0, ?, NULL) FROM numbers ORDER BY n`,
		manyRows, now, now.Add(-time.Hour), later, now)
	println("sessions", time.Since(began).String())
	for _, table := range []string{"members", "sessions"} {
		require.Equal(t, manyRows, f.number(t, "SELECT COUNT(*) FROM "+table))
		f.run(t, "ANALYZE TABLE "+table)
	}
	println("analyzed", time.Since(began).String())
	require.Equal(t, 1, f.number(t, "SELECT COUNT(*) FROM members WHERE email_key = ?", someEmail))
}

func (f fixture) run(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := f.db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}
