package mysqlx_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/dbpair"
)

func TestASlowReadEndsOnTheServerWithItsContext(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	awaitRead(t, cluster, onReplica)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	servers := []*sql.DB{rootOf(t, schema.pair.Primary), rootOf(t, schema.pair.Replica)}
	running := func() bool { return runsOn(t, servers[0], schema.Name) || runsOn(t, servers[1], schema.Name) }
	go func() {
		defer cancel()
		assert.Eventually(t, running, patient, 5*time.Millisecond)
	}()
	runs := 0
	err := cluster.ReadSlowly(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		runs++
		var zero int
		// It computes for minutes, and tells its schema in the list of statements.
		return reader.QueryRowContext(ctx, "SELECT BENCHMARK(10000000000, SHA2('"+schema.Name+"', 256))").Scan(&zero)
	})
	require.True(t, fault.Is(err, fault.Timeout), "%v", err)
	require.Equal(t, 1, runs, "it is not tried on the primary")
	eventually(t, func() bool { return !running() })
}

// runsOn tells whether the server works on a statement of BENCHMARK that holds the text.
func runsOn(t *testing.T, server *sql.DB, text string) bool {
	t.Helper()
	return slices.ContainsFunc(statementsOn(t, server), func(statement string) bool {
		return strings.Contains(statement, "BENCHMARK") && strings.Contains(statement, text)
	})
}

// statementsOn returns the statements that run on a server.
func statementsOn(t *testing.T, server *sql.DB) (statements []string) {
	t.Helper()
	sessions, err := dbpair.Sessions(t.Context(), server)
	require.NoError(t, err)
	for _, session := range sessions {
		statements = append(statements, session["Info"])
	}
	return statements
}

func TestASlowReadAnswersAsAReadDoes(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	ctx, cancel := context.WithTimeout(told(t, consistency.Newest), time.Minute)
	defer cancel()
	var names []string
	require.NoError(t, cluster.ReadSlowly(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		names = nil
		rows, err := reader.QueryContext(ctx, "-- name: Names :many\nSELECT name FROM item WHERE id = ?", 1)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, rows.Close()) }()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	}))
	require.Equal(t, []string{"x"}, names)
}
