// Package mysqlxtest gives a test a schema of its own in the database pair that the tests of a package share, migrated as
// a service migrates it, and examines the plans of queries there. Only tests import it: it starts servers.
package mysqlxtest

import (
	"database/sql"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

// hanging is when a test gives up. It is far above what a slow machine needs.
const hanging = time.Minute

// Database is a schema with a service's tables.
type Database struct {
	Pair    *dbpair.Pair
	Schema  dbpair.Schema
	Cluster *mysqlx.Cluster // as the service's user; it has a primary
	Root    *sql.DB         // root on the primary, in the schema
}

// New makes a schema in the shared pair, migrates it, and connects to it until the test ends. The package's TestMain must be
// testservers.Main.
func New(t *testing.T, migrations fs.FS) Database {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	migrate := ConfigOf(pair, schema)
	migrate.User, migrate.Password = schema.Migrate.User, schema.Migrate.Password
	require.NoError(t, mysqlx.Migrate(t.Context(), migrate, migrations, slog.New(slog.DiscardHandler)))
	return Connect(t, pair, schema)
}

// Connect connects to a migrated schema until the test ends.
func Connect(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) Database {
	t.Helper()
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	return Database{Pair: pair, Schema: schema, Cluster: Open(t, ConfigOf(pair, schema)), Root: root}
}

// ConfigOf is how a service's user reaches the schema.
func ConfigOf(pair *dbpair.Pair, schema dbpair.Schema) mysqlx.Config {
	return mysqlx.Config{
		Hosts: strings.Split(pair.Hosts(), ","), Database: schema.Name, User: schema.App.User, Password: schema.App.Password,
	}
}

// Open runs a cluster until the test ends. It has a primary when Open returns.
func Open(t testing.TB, config mysqlx.Config) *mysqlx.Cluster {
	t.Helper()
	cluster, err := mysqlx.Open(config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	testservers.Run(t, cluster.Run)
	require.Eventually(t, func() bool { return cluster.Ready() == nil }, hanging, 5*time.Millisecond)
	return cluster
}

// OnPrimaryAlone returns a function that executes statements as root whose changes never reach the replica. All run in one
// session.
func (d Database) OnPrimaryAlone(t *testing.T) func(statement string, args ...any) {
	t.Helper()
	session, err := d.Root.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	run := func(statement string, args ...any) {
		t.Helper()
		_, err := session.ExecContext(t.Context(), statement, args...)
		require.NoError(t, err, statement)
	}
	run("SET SESSION sql_log_bin = 0")
	return run
}
