package mysqlxtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var queryName = regexp.MustCompile(`^-- name: (\w+)`)

// Statements returns what work sends to the primary as the service's user, in this order: generated queries by their names,
// others by their first lines. What connections and looks at the servers need is left out. A test that calls it must not be parallel,
// because it makes the server log all that the other tests send, too.
func (d Database) Statements(t *testing.T, work func()) []string {
	t.Helper()
	set := func(statement string) {
		t.Helper()
		_, err := d.Root.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	set("SET GLOBAL log_output = 'TABLE'")
	set("SET GLOBAL general_log = 1")
	defer set("SET GLOBAL general_log = 0")
	before := len(d.logged(t))
	work()
	return d.logged(t)[before:]
}

func (d Database) logged(t *testing.T) []string {
	t.Helper()
	rows, err := d.Root.QueryContext(t.Context(), `SELECT argument FROM mysql.general_log
		WHERE command_type = 'Query' AND user_host LIKE CONCAT(?, '[%') ORDER BY event_time`, d.Schema.App.User)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var statements []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		text, _, _ = strings.Cut(text, "\n") // behind the name of a query; bytes of a parameter need not be UTF-8
		if name := queryName.FindStringSubmatch(text); name != nil {
			text = name[1]
		}
		if !strings.Contains(text, "heartbeat") && !strings.HasPrefix(text, "SET ") && !strings.HasPrefix(text, "SHOW GLOBAL STATUS ") {
			statements = append(statements, text)
		}
	}
	require.NoError(t, rows.Err())
	return statements
}
