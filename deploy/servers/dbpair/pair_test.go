package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

func open(t *testing.T, server *Server, login Login, database string) *sql.DB {
	t.Helper()
	db, err := server.Open(login.User, login.Password, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() }) // it fails if the test has killed the server
	return db
}

func openRoot(t *testing.T, server *Server) *sql.DB {
	t.Helper()
	db, err := server.OpenRoot()
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() }) // it fails if the test has killed the server
	return db
}

func run(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

func number(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var value int
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&value), query)
	return value
}

func TestAWriteOnThePrimaryIsOnTheReplicaAfterSync(t *testing.T) {
	t.Parallel()
	pair, schema := newSchema(t)
	migrate := open(t, pair.Primary, schema.Migrate, schema.Name)
	app := open(t, pair.Primary, schema.App, schema.Name)
	run(t, migrate, "CREATE TABLE things (name VARCHAR(50) PRIMARY KEY)")
	run(t, app, "INSERT INTO things VALUES ('꼬막무침 🍤')")
	require.NoError(t, pair.Sync(t.Context()))
	var name string
	replica := open(t, pair.Replica, schema.App, schema.Name)
	require.NoError(t, replica.QueryRowContext(t.Context(), "SELECT name FROM things").Scan(&name))
	require.Equal(t, "꼬막무침 🍤", name)
}

func TestTheReplicaRefusesWrites(t *testing.T) {
	t.Parallel()
	pair, schema := newSchema(t)
	run(t, open(t, pair.Primary, schema.Migrate, schema.Name), "CREATE TABLE things (id INT PRIMARY KEY)")
	require.NoError(t, pair.Sync(t.Context()))
	require.Equal(t, 0, number(t, openRoot(t, pair.Primary), "SELECT @@GLOBAL.read_only"))
	require.Equal(t, 1, number(t, openRoot(t, pair.Replica), "SELECT @@GLOBAL.read_only"))
	for _, login := range []Login{schema.App, schema.Migrate} {
		_, err := open(t, pair.Replica, login, schema.Name).ExecContext(t.Context(), "INSERT INTO things VALUES (1)")
		require.ErrorContains(t, err, "read-only", login.User)
	}
}

func TestTheUsersOfASchemaHaveNoRightsElsewhere(t *testing.T) {
	t.Parallel()
	pair, schema := newSchema(t)
	_, other := newSchema(t)
	run(t, open(t, pair.Primary, other.Migrate, other.Name), "CREATE TABLE things (id INT PRIMARY KEY)")
	for _, statement := range []string{"SELECT * FROM " + other.Name + ".things", "CREATE TABLE " + other.Name + ".mine (id INT)"} {
		for _, login := range []Login{schema.App, schema.Migrate} {
			_, err := open(t, pair.Primary, login, schema.Name).ExecContext(t.Context(), statement)
			require.ErrorContains(t, err, "denied", "%s: %s", login.User, statement)
		}
	}
	_, err := open(t, pair.Primary, schema.App, schema.Name).ExecContext(t.Context(), "CREATE TABLE mine (id INT)")
	require.ErrorContains(t, err, "denied")
}

func TestBothServersAreDurableAndLogByRowAndGTID(t *testing.T) {
	t.Parallel()
	pair := sharedPair(t)
	for _, server := range []*Server{pair.Primary, pair.Replica} {
		db := openRoot(t, server)
		for variable, want := range map[string]string{
			"sync_binlog": "1", "innodb_flush_log_at_trx_commit": "1", "log_bin": "1", "log_slave_updates": "1",
			"binlog_format": "ROW", "character_set_server": "utf8mb4", "time_zone": "+00:00",
		} {
			var value string
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT @@GLOBAL."+variable).Scan(&value))
			require.Equal(t, want, value, "%s on the %s", variable, server.Name())
		}
		require.NotEmpty(t, positionOf(t, pair, server))
	}
}

func TestAReplicaAppliesSeveralTransactionsAtATimeAndCommitsThemInThePrimarysOrder(t *testing.T) {
	t.Parallel()
	pair := sharedPair(t)
	wanted := map[string]string{"slave_parallel_threads": "4", "slave_parallel_mode": "optimistic"} // always in order
	if _, isMySQL := pair.engine.(mysqlReplication); isMySQL {
		wanted = map[string]string{"replica_parallel_workers": "4", "replica_preserve_commit_order": "1", "binlog_order_commits": "1"}
	}
	for _, server := range []*Server{pair.Primary, pair.Replica} {
		for variable, want := range wanted {
			var value string
			require.NoError(t, openRoot(t, server).QueryRowContext(t.Context(), "SELECT @@GLOBAL."+variable).Scan(&value))
			require.Equal(t, want, value, "%s on the %s", variable, server.Name())
		}
	}
}

// positionOf is what a server has executed, by GTID, after the replica has caught up.
func positionOf(t *testing.T, pair *Pair, server *Server) string {
	t.Helper()
	require.NoError(t, pair.Sync(t.Context()))
	query := "SELECT @@GLOBAL.gtid_current_pos"
	if _, isMySQL := pair.engine.(mysqlReplication); isMySQL {
		query = "SELECT @@GLOBAL.gtid_executed"
	}
	var position string
	require.NoError(t, openRoot(t, server).QueryRowContext(t.Context(), query).Scan(&position))
	return position
}

func TestAKilledServerComesBackWithItsDataAndReplicationGoesOn(t *testing.T) {
	t.Parallel()
	pair := newPair(t)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	run(t, open(t, pair.Primary, schema.Migrate, schema.Name), "CREATE TABLE things (id INT PRIMARY KEY)")
	insert := func(id int) {
		run(t, open(t, pair.Primary, schema.App, schema.Name), fmt.Sprintf("INSERT INTO things VALUES (%d)", id))
	}
	rows := func(server *Server) int {
		return number(t, open(t, server, schema.App, schema.Name), "SELECT COUNT(*) FROM things")
	}
	insert(1)
	require.NoError(t, pair.Primary.Kill())
	require.Error(t, pair.Primary.ping(t.Context()))
	require.NoError(t, pair.Primary.Restart(t.Context()))
	require.Equal(t, 1, rows(pair.Primary))

	require.NoError(t, pair.Replica.Kill())
	insert(2)
	require.NoError(t, pair.Replica.Restart(t.Context()))
	require.NoError(t, pair.Sync(t.Context()))
	require.Equal(t, 2, rows(pair.Replica))

	require.NoError(t, pair.Replica.Stop(t.Context()))
	require.NoError(t, pair.Primary.Restart(t.Context()))
	require.NoError(t, pair.Replica.Restart(t.Context()))
	insert(3)
	require.NoError(t, pair.Sync(t.Context()))
	require.Equal(t, 3, rows(pair.Replica))
	require.Equal(t, positionOf(t, pair, pair.Primary), positionOf(t, pair, pair.Replica))
}

func TestAPausedReplicaHangsAndThenCatchesUp(t *testing.T) {
	t.Parallel()
	pair := newPair(t)
	require.NoError(t, pair.Replica.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pair.Replica.ping(ctx), context.DeadlineExceeded)
	require.NoError(t, pair.Primary.exec(t.Context(), "CREATE DATABASE meanwhile"))
	require.NoError(t, pair.Replica.Continue())
	require.NoError(t, pair.Sync(t.Context()))
	require.Equal(t, 1, number(t, openRoot(t, pair.Replica),
		"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'meanwhile'"))
}

func TestTwoPairsDoNotMeet(t *testing.T) {
	t.Parallel()
	first, second := sharedPair(t), newPair(t)
	require.NoError(t, second.Primary.exec(t.Context(), "CREATE DATABASE only_second"))
	require.NoError(t, first.Sync(t.Context()))
	require.Equal(t, 0, number(t, openRoot(t, first.Primary),
		"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'only_second'"))
}

func TestADetachedPairIsFoundAgainAndKeepsItsData(t *testing.T) {
	t.Parallel()
	options := detached(t)
	options.Bootstrap = []string{"CREATE DATABASE IF NOT EXISTS kept"}
	first, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.Close()) })
	again, err := Start(t.Context(), options)
	require.NoError(t, err)
	primary, replica := processesOf(t, options)
	for _, pid := range []int{primary.PID(), again.Primary.instance.(*mariadbProcess).PID()} {
		require.Equal(t, first.Primary.instance.(*mariadbProcess).PID(), pid)
	}
	require.Equal(t, first.Replica.instance.(*mariadbProcess).PID(), replica.PID())

	// A start that is killed while nobody follows leaves commits that do not wait.
	for _, server := range []*Server{again.Primary, again.Replica} {
		run(t, openRoot(t, server), "SET GLOBAL rpl_semi_sync_master_timeout = 1")
	}
	again, err = Start(t.Context(), options)
	require.NoError(t, err)
	for _, server := range []*Server{again.Primary, again.Replica} {
		require.Equal(t, semiSyncTimeout, number(t, openRoot(t, server), "SELECT @@GLOBAL.rpl_semi_sync_master_timeout"))
	}

	require.NoError(t, again.Stop(t.Context()))
	primary, replica = processesOf(t, options)
	require.Nil(t, primary)
	require.Nil(t, replica)

	// Another port of the primary is found by the replica, too.
	options.PrimaryPort, err = proc.FreePort()
	require.NoError(t, err)
	options.Bootstrap = nil
	moved, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, moved.Close()) })
	require.Equal(t, 1, number(t, openRoot(t, moved.Primary),
		"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'kept'"))
	require.NoError(t, moved.Primary.exec(t.Context(), "CREATE DATABASE later"))
	require.NoError(t, moved.Sync(t.Context()))
	require.Equal(t, 1, number(t, openRoot(t, moved.Replica),
		"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'later'"))
}

// processesOf returns the processes of a detached pair. One that does not run is nil.
func processesOf(t *testing.T, options Options) (primary, replica *proc.Process) {
	t.Helper()
	pair, err := Open(options)
	require.NoError(t, err)
	return pair.Primary.instance.(*mariadbProcess).Process, pair.Replica.instance.(*mariadbProcess).Process
}

func TestADetachedPairStartsWithoutAReplicaButNotWithoutItsPrimary(t *testing.T) {
	t.Parallel()
	options := detached(t)
	var steps []string
	options.Report = func(step string) { steps = append(steps, step) }
	pair, err := Start(t.Context(), options)
	require.NoError(t, err)
	spoil := func(server *Server) {
		require.NoError(t, server.Kill())
		data := filepath.Join(options.Dir, server.Name(), "data")
		require.NoError(t, os.Rename(data, data+".away"))
		require.NoError(t, os.WriteFile(data, nil, 0o600))
	}
	spoil(pair.Replica)
	steps, options.Bootstrap = nil, []string{"CREATE DATABASE IF NOT EXISTS begun"}
	alone, err := Start(t.Context(), options)
	require.NoError(t, err)
	require.Contains(t, steps[len(steps)-1], "server primary goes on alone: replica did not start")
	run(t, openRoot(t, alone.Primary), "USE begun")
	require.NoError(t, os.Remove(filepath.Join(options.Dir, "replica", "data")))
	require.NoError(t, alone.Rejoin(t.Context()))
	require.NoError(t, alone.Sync(t.Context()))

	spoil(alone.Primary)
	_, err = Start(t.Context(), options)
	require.ErrorContains(t, err, "`make failover` makes server replica the primary")
	require.NoError(t, alone.Failover(t.Context()))
	last, err := Start(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, "replica", last.Primary.Name())
	run(t, openRoot(t, last.Primary), "CREATE DATABASE later")
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	t.Parallel()
	// Too deep for a socket, which lies elsewhere then.
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep", 20))
	require.NoError(t, os.Mkdir(dir, 0o700))
	pair, err := Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	var processes []*proc.Process
	for _, server := range []*Server{pair.Primary, pair.Replica} {
		body := server.instance.(*mariadbProcess)
		processes = append(processes, body.Process)
		require.FileExists(t, socketPath(body.dir))
		require.NotContains(t, socketPath(body.dir), dir)
		defer func() { require.NoFileExists(t, socketPath(body.dir)) }()
	}
	require.NoError(t, pair.Close())
	for _, process := range processes {
		require.False(t, process.Alive())
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
