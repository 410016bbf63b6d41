package system

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
)

var queryName = regexp.MustCompile(`^-- name: (\w+)`)

// statements returns what work sends to the primary, the queries by their names.
func (s *system) statements(t *testing.T, work func()) []string {
	t.Helper()
	const log = "SELECT CONVERT(SUBSTRING_INDEX(argument, CHAR(10), 1) USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query' AND user_host LIKE ? ORDER BY event_time"
	s.exec(t, "SET GLOBAL log_output = 'TABLE'")
	s.exec(t, "SET GLOBAL general_log = 1")
	defer s.exec(t, "SET GLOBAL general_log = 0")
	read := func() []string {
		rows, err := s.root.QueryContext(t.Context(), log, s.schema.App.User+"%")
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		var names []string
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
	before := len(read())
	work()
	return read()[before:]
}

func TestTheStatementsOfALogin(t *testing.T) {
	// Not parallel: the log of all statements is the whole server's.
	s := newSystem(t)
	who, inactive := s.signUp(t, 1), s.signUp(t, 2)
	s.exec(t, "UPDATE members SET is_active = FALSE WHERE id = ?", inactive.MemberID)
	failure := []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "LockLoginFailures", "ListLoginFailures", "AddLoginFailure", "AddLoginFailure", "InsertAuditEvent", "COMMIT",
	}
	for name, try := range map[string]func(account.Client) time.Duration{
		"unknown email":      func(c account.Client) time.Duration { return s.try(t, c, "nobody@x.test", password) },
		"wrong password":     func(c account.Client) time.Duration { return s.try(t, c, who.Email, wrong) },
		"inactive":           func(c account.Client) time.Duration { return s.try(t, c, inactive.Email, password) },
		"inactive and wrong": func(c account.Client) time.Duration { return s.try(t, c, inactive.Email, wrong) },
	} {
		for _, client := range []account.Client{attacker, browser} {
			got := s.statements(t, func() { require.Equal(t, time.Duration(-1), try(client), name) })
			require.Equal(t, failure, got, name)
		}
	}
	s.exec(t, "DELETE FROM login_failures")
	require.Equal(t, []string{
		"ListMembersByMailbox", "ListLoginFailures",
		"START TRANSACTION", "GetMemberForUpdate", "ListLoginFailures", "UpsertKnownDevice",
		"InsertSession", "InsertRefreshToken", "InsertAuditEvent", "COMMIT",
	}, s.statements(t, func() { require.Zero(t, s.try(t, browser, who.Email, password)) }), "a login from a known device")
	for range 6 {
		s.try(t, attacker, who.Email, wrong)
	}
	require.Equal(t, []string{"ListMembersByMailbox", "ListLoginFailures"}, s.statements(t, func() {
		require.Positive(t, s.try(t, attacker, who.Email, password))
	}), "a login that comes too early")
}
