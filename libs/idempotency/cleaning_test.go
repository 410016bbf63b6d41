package idempotency_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

func newCluster(t *testing.T) mysqlxtest.Database {
	t.Helper()
	return mysqlxtest.New(t, os.DirFS("../../sql/orders/migrations"))
}

// aged adds keys of the callers 0, 1, 2 …, each an hour younger than the one before. So many are older than a day.
func aged(t *testing.T, d mysqlxtest.Database, keys, old int) {
	t.Helper()
	for i := range keys {
		_, err := d.Root.ExecContext(t.Context(),
			"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) VALUES (?, ?, '', '', ?)",
			i, fmt.Sprintf("%032d", i), now.Add(-idempotency.Kept+time.Duration(i-old)*time.Hour))
		require.NoError(t, err)
	}
}

// callers are the lowest caller with a key, and how many keys there are.
func callers(t *testing.T, d mysqlxtest.Database) (lowest, keys int) {
	t.Helper()
	require.NoError(t, d.Root.QueryRowContext(t.Context(), "SELECT MIN(caller_id), COUNT(*) FROM idempotency_keys").Scan(&lowest, &keys))
	return lowest, keys
}

// meddling is a cluster on which others work at the beginning and before the end of a transaction.
type meddling struct {
	*mysqlx.Cluster
	first, last func()
}

func (m meddling) Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	return m.Cluster.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		m.first()
		err := work(ctx, tx)
		m.last()
		return err
	})
}

// placed makes requests of new keys, which wait for nobody: the cluster's patience for a lock would be at its end.
func placed(t *testing.T, d mysqlxtest.Database, caller uint64, keys ...string) {
	t.Helper()
	for _, key := range keys {
		_, _, err := idempotency.Once(t.Context(), d.Cluster, request(caller, key, "body"), now,
			func(context.Context, mysqlx.Writer) ([]byte, error) { return []byte("done"), nil })
		require.NoError(t, err, "nobody's key is called busy")
	}
}

func at() time.Time { return now }

func TestCleaningTakesTheOldestSoManyAtATimeAndBlocksNobody(t *testing.T) {
	t.Parallel()
	d := newCluster(t)
	aged(t, d, 10, 7)
	transactions := 0
	cleaner := idempotency.NewCleaner(meddling{d.Cluster, func() { transactions++ }, func() {
		placed(t, d, 100, fmt.Sprint(transactions))
	}}, at)
	for range 2 {
		require.NoError(t, cleaner.CleanBy(t.Context(), 5))
		require.Equal(t, 2, transactions, "5 and 2; where nothing is old, nothing is written")
		lowest, keys := callers(t, d)
		require.Equal(t, 7, lowest)
		require.Equal(t, 3+2, keys)
	}
}

func TestTwoWhoCleanAtOnceDoNotStandInTheWayOfNewRequests(t *testing.T) {
	t.Parallel()
	d := newCluster(t)
	aged(t, d, 10, 10)
	cleaner := idempotency.NewCleaner(meddling{d.Cluster, func() {
		require.NoError(t, idempotency.NewCleaner(d.Cluster, at).Clean(t.Context()))
	}, func() {
		placed(t, d, 0, "a", "b", "c", "d", "e")
	}}, at)
	require.NoError(t, cleaner.Clean(t.Context()))
	_, keys := callers(t, d)
	require.Equal(t, 5, keys)
}

func TestACleanerDeletesAllKeysThatAreOlderThanADayInSmallTransactions(t *testing.T) {
	t.Parallel()
	d := newCluster(t)
	aged(t, d, 30, 5)
	for range 2 {
		require.NoError(t, idempotency.NewCleaner(d.Cluster, at).CleanBy(t.Context(), 2))
		_, keys := callers(t, d)
		require.Equal(t, 25, keys, "one is just a day old")
	}
}
