package mysqlx_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/dbpair"
)

func TestAConnectionLostDuringCommitLeavesTheOutcomeUnknownAndIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for when, written := range map[mysqlxtest.Loss][]string{mysqlxtest.BeforeCommit: {}, mysqlxtest.AfterCommit: {"x"}} {
		schema := shared(t)
		proxy := mysqlxtest.NewProxy(t, schema.pair.Primary.Addr())
		cluster := schema.cluster(t, proxy.Addr())
		proxy.Lose(when)
		err := cluster.Write(t.Context(), insert(1, "x"))
		require.True(t, fault.Is(err, fault.OutcomeUnknown), "%v", err)
		require.EqualValues(t, 1, proxy.Commits.Load())
		require.Equal(t, written, schema.names(t))

		proxy.Lose(mysqlxtest.Never)
		require.NoError(t, cluster.Write(t.Context(), insert(2, "y")), "a new connection is made")
	}
}

func TestAConnectionLostBeforeCommitIsUnavailableAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	err := cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		if err := insert(1, "x")(ctx, tx); err != nil {
			return err
		}
		schema.killConnection(ctx, t, tx)
		return insert(2, "y")(ctx, tx)
	})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Empty(t, schema.names(t))
	require.NoError(t, cluster.Write(t.Context(), insert(3, "z")))
}

func TestAConnectionThatDiedInThePoolIsReplacedUnnoticed(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster, err := mysqlx.Open(schema.config(), discard) // it does not run: the pool has no other user
	require.NoError(t, err)
	pool, root := cluster.Pools()[schema.pair.Primary.Addr()], schema.root
	connections := map[int]bool{}
	for range 3 {
		var connection int
		require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT CONNECTION_ID()").Scan(&connection))
		connections[connection] = true
		_, err := root.ExecContext(t.Context(), "KILL ?", connection)
		require.NoError(t, err)
		eventually(t, func() bool {
			sessions, err := dbpair.Sessions(t.Context(), root)
			return err == nil && !slices.ContainsFunc(sessions, func(session map[string]string) bool {
				return session["Id"] == strconv.Itoa(connection)
			})
		})
	}
	require.Len(t, connections, 3)
	require.NoError(t, cluster.Close())
}
