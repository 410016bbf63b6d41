package mysqlx_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

func TestRolesAreLearntFromTheServersWhateverTheOrderOfHosts(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	primary, replica := schema.pair.Primary.Addr(), schema.pair.Replica.Addr()
	for _, hosts := range [][]string{{primary, replica}, {replica, primary}, {"127.0.0.1:1", replica, primary}} {
		cluster := schema.cluster(t, hosts...)
		awaitRead(t, cluster, onReplica)
		found, err := where(t.Context(), cluster.ReadLatest)
		require.NoError(t, err)
		require.Equal(t, onPrimary, found)
		require.NoError(t, cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			var readOnly bool
			require.NoError(t, tx.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly))
			require.False(t, readOnly)
			return nil
		}))
		require.Len(t, cluster.Pools(), len(hosts))
	}
}

func TestAPrimaryAloneServesEverything(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t, schema.pair.Primary.Addr())
	found, err := where(t.Context(), cluster.Read)
	require.NoError(t, err)
	require.Equal(t, onPrimary, found)
}

func TestEverythingIsUnavailableUntilTheServersHaveBeenLookedAt(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster, err := mysqlx.Open(schema.config(), discard)
	require.NoError(t, err)
	require.Error(t, cluster.Ready())
	_, latest := where(t.Context(), cluster.ReadLatest)
	_, recent := where(t.Context(), cluster.Read)
	for name, write := range writes(cluster) {
		err := write(t.Context(), func(context.Context, mysqlx.Writer) error {
			t.Error("it waited for a primary")
			return nil
		})
		require.True(t, fault.Is(err, fault.Unavailable), "%s: %v", name, err)
	}
	for _, err := range []error{latest, recent} {
		require.True(t, fault.Is(err, fault.Unavailable), err)
	}
	require.NoError(t, cluster.Close())
}

func TestAReaderExecutesNothing(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	for _, read := range []func(context.Context, func(context.Context, mysqlx.Reader) error) error{cluster.ReadLatest, cluster.Read} {
		require.Error(t, read(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			_, err := reader.ExecContext(ctx, "INSERT INTO item (id, name) VALUES (1, 'x')")
			return err
		}))
	}
	require.Empty(t, schema.names(t))
}

func TestAStatementThatTheReplicaRefusesIsNotRunAgain(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	awaitRead(t, cluster, onReplica)
	runs := 0
	err := cluster.Read(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
		runs++
		var found int
		return reader.QueryRowContext(ctx, "nonsense SELECT name FROM item").Scan(&found)
	})
	require.ErrorContains(t, err, "nonsense")
	require.Equal(t, fault.Internal, fault.Of(err).Code)
	require.Equal(t, 1, runs)
	awaitRead(t, cluster, onReplica)
}

func TestAReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	awaitRead(t, cluster, onReplica)
	slow := func(ctx context.Context, reader mysqlx.Reader) error {
		var ignored int
		return reader.QueryRowContext(ctx, "SELECT SLEEP(20)").Scan(&ignored)
	}
	for _, read := range []func(context.Context, func(context.Context, mysqlx.Reader) error) error{cluster.ReadLatest, cluster.Read} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		require.True(t, fault.Is(read(ctx, slow), fault.Timeout))
		cancel()
	}
}

func TestFaultsOfAReadStayAsTheyAre(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	missing := fault.NewNotFound()
	require.Same(t, missing, cluster.ReadLatest(t.Context(), func(context.Context, mysqlx.Reader) error { return missing }))
	require.Same(t, missing, cluster.Read(t.Context(), func(context.Context, mysqlx.Reader) error { return missing }))
}
