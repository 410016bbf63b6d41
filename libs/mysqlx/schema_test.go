package mysqlx_test

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

const patient = 30 * time.Second // for what takes much less unless something is broken

var discard = slog.New(slog.DiscardHandler)

// schema is a schema of a test's own, with a table of items.
type schema struct {
	dbpair.Schema

	pair *dbpair.Pair
	root *sql.DB // root on the primary, in the schema
}

func newSchema(t *testing.T, pair *dbpair.Pair) schema {
	t.Helper()
	made, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	root, err := pair.Primary.Open("root", pair.RootPassword, made.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	result := schema{Schema: made, pair: pair, root: root}
	for _, statement := range []string{
		"CREATE TABLE heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, beat BIGINT UNSIGNED NOT NULL, epoch BIGINT UNSIGNED NOT NULL DEFAULT 0)",
		"INSERT INTO heartbeat (id, beat) VALUES (1, 0)",
		"CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci NOT NULL)",
	} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, pair.Sync(t.Context()))
	return result
}

// rootOf is a pool of the user root on one server.
func rootOf(t *testing.T, server *dbpair.Server) *sql.DB {
	t.Helper()
	db, err := server.OpenRoot()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// shared is a schema in the pair that this package's tests share. They must leave its servers alone.
func shared(t *testing.T) schema {
	t.Helper()
	return newSchema(t, testservers.Shared(t))
}

func (s schema) config(hosts ...string) mysqlx.Config {
	if len(hosts) == 0 {
		hosts = []string{s.pair.Primary.Addr(), s.pair.Replica.Addr()}
	}
	return mysqlx.Config{Hosts: hosts, User: s.App.User, Password: s.App.Password, Database: s.Name}
}

// cluster runs a cluster as the application's user until the test ends. It has a primary when this returns.
func (s schema) cluster(t *testing.T, hosts ...string) *mysqlx.Cluster {
	t.Helper()
	return mysqlxtest.Open(t, s.config(hosts...))
}

// names are the names of all items as the primary has them, in the order of their ids.
func (s schema) names(t *testing.T) []string {
	t.Helper()
	return s.namesOn(t, s.pair.Primary)
}

func (s schema) namesOn(t *testing.T, server *dbpair.Server) []string {
	t.Helper()
	rows, err := rootOf(t, server).QueryContext(t.Context(), "SELECT name FROM "+s.Name+".item ORDER BY id")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	names := []string{}
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patient, 5*time.Millisecond)
}

// insert returns work that adds an item.
func insert(id int, name string) func(context.Context, mysqlx.Writer) error {
	return func(ctx context.Context, tx mysqlx.Writer) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO item (id, name) VALUES (?, ?)", id, name)
		return err
	}
}

// killConnection ends the connection of a transaction on the server.
func (s schema) killConnection(ctx context.Context, t *testing.T, tx mysqlx.Writer) {
	t.Helper()
	var connection int
	require.NoError(t, tx.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&connection))
	_, err := s.root.ExecContext(ctx, "KILL ?", connection)
	require.NoError(t, err)
}

// server is the kind of server that answered a read.
type server string

const (
	onPrimary server = "primary"
	onReplica server = "replica"
)

// where asks through read, which is ReadLatest or Read, which server answers.
func where(ctx context.Context, read func(context.Context, func(context.Context, mysqlx.Reader) error) error) (server, error) {
	var found server
	err := read(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		var readOnly bool
		if err := reader.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly); err != nil {
			return err
		}
		found = onPrimary
		if readOnly {
			found = onReplica
		}
		return nil
	})
	return found, err
}

// awaitRead waits until reads without a token go to a server of this kind.
func awaitRead(t *testing.T, cluster *mysqlx.Cluster, wanted server) {
	t.Helper()
	eventually(t, func() bool {
		found, err := where(t.Context(), cluster.Read)
		return err == nil && found == wanted
	})
}
