package mysqlx_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

func TestThePrimaryIsAskedWhileAReplicaLacksWhatAMigrationMade(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "one")))
	onPrimaryAlone := mysqlxtest.Database{Root: schema.root}.OnPrimaryAlone(t)
	onPrimaryAlone("ALTER TABLE item ADD COLUMN weight INT NULL, ADD KEY item_name (name)")
	onPrimaryAlone("CREATE TABLE parcel AS SELECT * FROM item")
	awaitRead(t, cluster, onReplica)
	for _, query := range []string{
		"SELECT COUNT(*) FROM item WHERE weight IS NULL", "SELECT COUNT(*) FROM item FORCE INDEX (item_name) WHERE name = 'one'",
		"SELECT COUNT(*) FROM item IGNORE INDEX FOR ORDER BY (item_name)", "SELECT COUNT(*) FROM parcel",
	} {
		var count int
		require.NoError(t, cluster.Read(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			return reader.QueryRowContext(ctx, query).Scan(&count)
		}), query)
		require.Equal(t, 1, count, query)
	}
	awaitRead(t, cluster, onReplica) // it is not left out for that
}
