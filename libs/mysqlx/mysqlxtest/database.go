// Package mysqlxtest gives a test a schema of its own in the database pair that the tests of a package share, migrated as
// a service migrates it, and examines the plans of queries there. Only tests import it: it starts servers.
package mysqlxtest

import (
	"database/sql"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
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

// New makes a schema with a service's tables in the shared pair, and connects to it until the test ends. The package's TestMain must
// be testservers.Main. All calls in a package must give the same migrations: they run once, and each schema gets copies of the tables,
// because that takes a fraction of the time.
func New(t testing.TB, migrations fs.FS) Database {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer root.Close() //nolint:errcheck // nothing is lost
	for _, statement := range copies(t, pair, root, migrations) {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	return Connect(t, pair, schema)
}

var migrated struct {
	sync.Mutex
	copies []string
}

// copies returns the statements that copy the tables of a migrated schema, with the rows that migrations write. The first call
// makes that schema.
func copies(t testing.TB, pair *dbpair.Pair, root *sql.DB, migrations fs.FS) []string {
	t.Helper()
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.copies != nil {
		return migrated.copies
	}
	_, schema := testservers.NewSchema(t)
	migrate := ConfigOf(pair, schema)
	migrate.User, migrate.Password = schema.Migrate.User, schema.Migrate.Password
	require.NoError(t, mysqlx.Migrate(t.Context(), migrate, migrations, slog.New(slog.DiscardHandler)))
	var statements []string
	for _, table := range tablesOf(t, root, schema.Name) {
		original := schema.Name + "." + table
		statements = append(statements, "CREATE TABLE "+table+" LIKE "+original)
		var filled bool
		require.NoError(t, root.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM "+original+")").Scan(&filled))
		if filled {
			statements = append(statements, "INSERT INTO "+table+" SELECT * FROM "+original)
		}
	}
	migrated.copies = statements
	return statements
}

func tablesOf(t testing.TB, root *sql.DB, schema string) (tables []string) {
	t.Helper()
	rows, err := root.QueryContext(t.Context(), "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", schema)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var table string
		require.NoError(t, rows.Scan(&table))
		tables = append(tables, table)
	}
	require.NoError(t, rows.Err())
	return tables
}

// Connect connects to a migrated schema until the test ends.
func Connect(t testing.TB, pair *dbpair.Pair, schema dbpair.Schema) Database {
	t.Helper()
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	return Database{Pair: pair, Schema: schema, Cluster: Open(t, ConfigOf(pair, schema)), Root: root}
}

// ConfigOf is how a service's user reaches the schema. However busy the machine is, servers that live keep their roles.
func ConfigOf(pair *dbpair.Pair, schema dbpair.Schema) mysqlx.Config {
	return mysqlx.Config{
		Hosts: strings.Split(pair.Hosts(), ","), Database: schema.Name, User: schema.App.User, Password: schema.App.Password,
		Patience: hanging,
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

// onlyOneAsks is held while transactions are looked at: InnoDB renews what it tells of them only once nobody has asked for 0.1 s.
var onlyOneAsks sync.Mutex

// AwaitLockWait returns once a transaction in this schema waits for a row.
func (d Database) AwaitLockWait(t *testing.T) {
	t.Helper()
	onlyOneAsks.Lock()
	defer onlyOneAsks.Unlock()
	const waiting = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id = ?"
	require.Eventually(t, func() bool {
		sessions, err := dbpair.Sessions(t.Context(), d.Root)
		return err == nil && slices.ContainsFunc(sessions, func(session map[string]string) bool {
			var count int
			return session["db"] == d.Schema.Name &&
				d.Root.QueryRowContext(t.Context(), waiting, session["Id"]).Scan(&count) == nil && count > 0
		})
	}, hanging, 150*time.Millisecond)
}

// OnPrimaryAlone returns a function that executes statements as root whose changes never reach the replica. All run in one
// session.
func (d Database) OnPrimaryAlone(t testing.TB) func(statement string, args ...any) {
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
