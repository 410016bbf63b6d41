package mysqlx_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

func TestAWriteIntoAFullTableIsUnavailable(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	// The engine MEMORY gives the error of a full disk without one.
	session, err := schema.root.Conn(t.Context())
	require.NoError(t, err)
	defer session.Close() //nolint:errcheck // nothing is lost
	for _, statement := range []string{
		"SET SESSION max_heap_table_size = 16384",
		"CREATE TABLE small (name CHAR(200) NOT NULL) ENGINE = MEMORY",
	} {
		_, err := session.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	cluster := schema.cluster(t)
	for name, write := range writes(cluster) {
		err := write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO small (name) SELECT a.collation_name FROM information_schema.collations a, information_schema.collations b")
			return err
		})
		require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
	}
	awaitUnhealthy(t, cluster, "was full") // and ready: other tables can be written to
	require.InDelta(t, len(writes(cluster)), measured(t, cluster)["mysql_full_errors_total "+schema.pair.Primary.Addr()], 0)
}

// commitsNothing lets every commit wait, as a server does whose binary log's disk is full: it is locked while it answers reads.
func (s schema) commitsNothing(t *testing.T) {
	cluster := s.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(100, "before")))
	lock, err := rootOf(t, s.pair.Primary).Conn(t.Context())
	require.NoError(t, err)
	locked := func(statement string) {
		_, err := lock.ExecContext(context.Background(), statement)
		require.NoError(t, err, statement)
	}
	locked("FLUSH TABLES WITH READ LOCK")
	unlock := func() { locked("UNLOCK TABLES") }
	defer func() { unlock() }()

	awaitRefusal(t, cluster, "committed nothing since")
	for name, write := range writes(cluster) {
		err := write(t.Context(), func(context.Context, mysqlx.Writer) error {
			t.Error("it was tried")
			return nil
		})
		require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
	}
	found, err := where(t.Context(), cluster.ReadLatest)
	require.NoError(t, err)
	require.Equal(t, onPrimary, found)
	require.LessOrEqual(t, s.waitingBeats(t), 1)

	unlock()
	unlock = func() {}
	eventually(t, func() bool { return cluster.Ready() == nil })
	require.NoError(t, cluster.Write(t.Context(), insert(101, "after")))
	require.NoError(t, s.pair.Sync(t.Context()))
}

// waitingBeats is how many heartbeats wait on the primary.
func (s schema) waitingBeats(t *testing.T) (count int) {
	t.Helper()
	for _, statement := range statementsOn(t, s.root) {
		if strings.HasPrefix(statement, "UPDATE heartbeat") {
			count++
		}
	}
	return count
}
