package main

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
)

// statements counts what the service asks one server, by the server's own log of all statements. It needs a pair of the
// test's own.
type statements struct {
	root *sql.DB
	user string
}

func logStatements(t *testing.T, server *dbpair.Server, user string) statements {
	t.Helper()
	root, err := server.OpenRoot()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	for _, statement := range []string{"SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON"} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	return statements{root, user}
}

// all returns the statements so far, without those that no read of a request causes: what sets a new connection up, the
// heartbeat, and the transactions of the relay.
func (s statements) all(t *testing.T) []string {
	t.Helper()
	rows, err := s.root.QueryContext(t.Context(), `SELECT CONCAT(command_type, ': ', argument) FROM mysql.general_log
		WHERE user_host LIKE CONCAT(?, '[%') AND command_type NOT IN ('Connect', 'Quit', 'Ping')
		AND argument NOT LIKE 'SET %' AND argument NOT LIKE '%heartbeat%' AND argument NOT LIKE '%outbox%'
		AND argument NOT IN ('START TRANSACTION', 'COMMIT', 'ROLLBACK') ORDER BY event_time`, s.user)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	found := []string{}
	for rows.Next() {
		var statement string
		require.NoError(t, rows.Scan(&statement))
		found = append(found, statement)
	}
	require.NoError(t, rows.Err())
	return found
}

func (s statements) count(t *testing.T) int {
	t.Helper()
	return len(s.all(t))
}

// transaction returns the statements of the transaction in which something was asked, from its beginning to its end.
func (s statements) transaction(t *testing.T, asked string) []string {
	t.Helper()
	rows, err := s.root.QueryContext(t.Context(), `SELECT argument FROM mysql.general_log
		WHERE command_type = 'Query' AND thread_id = (SELECT MAX(thread_id) FROM mysql.general_log
			WHERE user_host LIKE CONCAT(?, '[%') AND argument LIKE CONCAT('%', ?, '%') AND argument NOT LIKE '%general_log%')
		ORDER BY event_time`, s.user, asked)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var found []string
	has := false
	for rows.Next() {
		var statement string
		require.NoError(t, rows.Scan(&statement))
		if statement == "START TRANSACTION" {
			found, has = nil, false
		}
		found = append(found, statement)
		has = has || strings.Contains(statement, asked)
		if has && (statement == "COMMIT" || statement == "ROLLBACK") {
			return found
		}
	}
	require.NoError(t, rows.Err())
	require.Fail(t, "no such transaction", asked)
	return nil
}
