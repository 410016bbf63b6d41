package dbpair

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ledger is a schema with a table of rows and the heartbeat that services have.
type ledger struct {
	pair   *Pair
	schema Schema
}

func newLedger(t *testing.T) ledger {
	t.Helper()
	return ledgerIn(t, newPair(t))
}

func ledgerIn(t *testing.T, pair *Pair) ledger {
	t.Helper()
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	l := ledger{pair, schema}
	l.createTables(t)
	return l
}

func (l ledger) createTables(t *testing.T) {
	t.Helper()
	migrate := open(t, l.pair.Primary, l.schema.Migrate, l.schema.Name)
	run(t, migrate, "CREATE TABLE rows_of_it (id INT PRIMARY KEY)")
	run(t, migrate, "CREATE TABLE heartbeat (id INT PRIMARY KEY, beat BIGINT, epoch BIGINT UNSIGNED NOT NULL DEFAULT 0)")
	run(t, migrate, "INSERT INTO heartbeat VALUES (1, 0, 0)")
	require.NoError(t, l.pair.Sync(t.Context()))
}

func (l ledger) insert(t *testing.T, server *Server, ids ...int) {
	t.Helper()
	for _, id := range ids {
		run(t, open(t, server, l.schema.App, l.schema.Name), fmt.Sprintf("INSERT INTO rows_of_it VALUES (%d)", id))
	}
}

func (l ledger) ids(t *testing.T, server *Server) (text string) {
	t.Helper()
	var all sql.NullString
	require.NoError(t, open(t, server, l.schema.App, l.schema.Name).QueryRowContext(t.Context(),
		"SELECT GROUP_CONCAT(id ORDER BY id) FROM rows_of_it").Scan(&all))
	return all.String
}

// requireRoles holds that the pair is one again: both hold the same rows and epoch, and only the primary takes more.
func (l ledger) requireRoles(t *testing.T, primary, ids string, epoch int) {
	t.Helper()
	require.Equal(t, primary, l.pair.Primary.Name())
	require.NoError(t, l.pair.Sync(t.Context()))
	for _, server := range []*Server{l.pair.Primary, l.pair.Replica} {
		require.Equal(t, ids, l.ids(t, server), server.Name())
		require.Equal(t, epoch, number(t, open(t, server, l.schema.App, l.schema.Name), "SELECT epoch FROM heartbeat"), server.Name())
	}
	_, err := open(t, l.pair.Replica, l.schema.App, l.schema.Name).ExecContext(t.Context(), "INSERT INTO rows_of_it VALUES (0)")
	require.ErrorContains(t, err, "read-only")
}

func TestAPlannedFailoverExchangesTheRolesAndRestartsKeepThem(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	var steps []string
	l.pair.Report = func(step string) { steps = append(steps, step) }
	require.NoError(t, l.pair.Failover(t.Context()))
	require.NotEmpty(t, steps)
	l.insert(t, l.pair.Primary, 2)
	l.requireRoles(t, "replica", "1,2", 1)
	require.NoError(t, l.pair.Rejoin(t.Context()))
	require.Equal(t, "nothing to do: server primary follows server replica", steps[len(steps)-1])

	require.NoError(t, l.pair.Stop(t.Context()))
	require.NoError(t, l.pair.Primary.Restart(t.Context()))
	require.NoError(t, l.pair.Replica.Restart(t.Context()))
	l.insert(t, l.pair.Primary, 3)
	l.requireRoles(t, "replica", "1,2,3", 1)

	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 4)
	l.requireRoles(t, "primary", "1,2,3,4", 2)
}

func TestAReplicaTakesOverFromAKilledPrimaryWhichThenRejoins(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Primary.Kill())
	require.NoError(t, l.pair.Failover(t.Context()))
	require.Equal(t, "replica", l.pair.Primary.Name())
	l.insert(t, l.pair.Primary, 2)
	require.ErrorContains(t, l.pair.Failover(t.Context()),
		"there is no server to promote: server replica is the primary and server primary does not answer")

	// Whoever starts it, it is not written to.
	require.NoError(t, l.pair.Replica.Restart(t.Context()))
	_, err := open(t, l.pair.Replica, l.schema.App, l.schema.Name).ExecContext(t.Context(), "INSERT INTO rows_of_it VALUES (9)")
	require.ErrorContains(t, err, "read-only")
	require.ErrorContains(t, l.pair.Failover(t.Context()), "server primary follows nobody")
	require.NoError(t, l.pair.Replica.Kill())

	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.requireRoles(t, "replica", "1,2", 1)
	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 3)
	l.requireRoles(t, "primary", "1,2,3", 2)
}

func TestAReplicaThatHoldsAPartOfATransactionTakesOverAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	app := open(t, l.pair.Primary, l.schema.Migrate, l.schema.Name)
	run(t, app, "CREATE TABLE large (id INT PRIMARY KEY, content LONGBLOB)")
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Sync(t.Context()))
	// The commit waits for the replica, which stops receiving in the middle of the transaction.
	require.NoError(t, l.pair.Primary.exec(t.Context(), "SET GLOBAL "+l.pair.engine.words().semiSyncTimeout+" = 3600000"))
	transaction, err := app.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	const rows, size = 60, 4_000_000
	for id := range rows {
		_, err := transaction.ExecContext(t.Context(), "INSERT INTO large VALUES (?, REPEAT('x', ?))", id, size)
		require.NoError(t, err)
	}
	committed := make(chan error, 1)
	go func() { committed <- transaction.Commit() }()
	replica := openRoot(t, l.pair.Replica)
	for received(t, replica) < 2*size {
	}
	run(t, replica, stopReplica+" IO_THREAD")
	require.Less(t, received(t, replica), rows*size, "it arrived whole, so that this shows nothing")
	require.NoError(t, l.pair.Primary.Kill())
	require.Error(t, <-committed)

	// A first failover was interrupted.
	require.NoError(t, l.pair.engine.drain(t.Context(), replica))
	if l.pair.Engine() == MySQL {
		now, err := ReadReplicaStatus(t.Context(), replica)
		require.NoError(t, err)
		require.False(t, now.applying, "STOP REPLICA would wait a minute for the rest")
	}
	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 2)
	require.Equal(t, "1,2", l.ids(t, l.pair.Primary))
	require.Zero(t, number(t, openRoot(t, l.pair.Primary), "SELECT COUNT(*) FROM "+l.schema.Name+".large"))
}

// received is how many bytes the replica's relay logs hold.
func received(t *testing.T, replica *sql.DB) int {
	t.Helper()
	row, err := queryRow(t.Context(), replica, "SHOW REPLICA STATUS")
	require.NoError(t, err)
	size, err := strconv.Atoi(row["Relay_Log_Space"])
	require.NoError(t, err)
	return size
}

func TestAPrimaryThatHangsIsKilledBeforeAnotherIsPromoted(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Primary.Pause())
	require.NoError(t, l.pair.Failover(t.Context()))
	alive, err := l.pair.Replica.Running()
	require.NoError(t, err)
	require.False(t, alive)
	l.insert(t, l.pair.Primary, 2)
	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.requireRoles(t, "replica", "1,2", 1)
}

func TestAnInterruptedFailoverIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.NoError(t, l.pair.engine.setReadOnly(t.Context(), l.pair.Primary, true))
	require.ErrorContains(t, l.pair.Rejoin(t.Context()), "there is no primary to follow")
	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 1)
	l.requireRoles(t, "replica", "1", 1)
}

func TestAReplicaThatCannotCatchUpIsNotPromoted(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.NoError(t, l.pair.Replica.exec(t.Context(), l.pair.engine.words().beginRootWrites, "SET SESSION sql_log_bin = 0",
		"INSERT INTO "+l.schema.Name+".rows_of_it VALUES (1)"))
	l.insert(t, l.pair.Primary, 1)
	require.ErrorContains(t, l.pair.Failover(t.Context()), "server replica does not catch up")
	require.Equal(t, "primary", l.pair.Primary.Name())
	l.insert(t, l.pair.Primary, 2)
}

func TestAPrimaryThatLostItsDataIsReplacedOnlyWhenThatIsAskedFor(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	beats := "UPDATE " + l.schema.Name + ".heartbeat SET beat = "
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Primary.exec(t.Context(), beats+"5000000"))
	require.NoError(t, l.pair.Sync(t.Context()))
	require.NoError(t, l.pair.Reattach(t.Context()), "there is no more than a second look may find")
	require.NoError(t, l.pair.Primary.exec(t.Context(), beats+"5000001"))
	require.NoError(t, l.pair.Sync(t.Context()))
	require.NoError(t, l.pair.Primary.exec(t.Context(), "SET SESSION sql_log_bin = 0", beats+"0", "DELETE FROM "+l.schema.Name+".rows_of_it"))

	require.ErrorContains(t, l.pair.Reattach(t.Context()), "server replica holds newer data")
	require.ErrorContains(t, l.pair.Failover(t.Context()), "server replica holds newer data than server primary")
	require.NoError(t, l.pair.Replica.Kill())
	require.ErrorContains(t, l.pair.Rejoin(t.Context()), "server replica holds newer data", "nothing is copied over it")
	alive, err := l.pair.Primary.Running()
	require.NoError(t, err)
	require.True(t, alive)
	require.NoError(t, l.pair.ForceFailover(t.Context()))
	require.Equal(t, "replica", l.pair.Primary.Name())
	l.insert(t, l.pair.Primary, 2)
	require.Equal(t, 2, number(t, openRoot(t, l.pair.Primary), "SELECT COUNT(*) FROM "+l.schema.Name+".rows_of_it"))
}

func TestAReplicaThatCannotReceiveOrApplyIsNotPromotedAndThePrimaryIsNotKilledForIt(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, l ledger, why string) {
		t.Helper()
		require.NoError(t, l.pair.Primary.Pause())
		require.ErrorContains(t, l.pair.Failover(t.Context()), why)
		require.NoError(t, l.pair.Primary.Continue())
		l.insert(t, l.pair.Primary, 2)
	}
	t.Run("apply", func(t *testing.T) {
		t.Parallel()
		l := newLedger(t)
		require.NoError(t, l.pair.Replica.exec(t.Context(), l.pair.engine.words().beginRootWrites, "SET SESSION sql_log_bin = 0",
			"INSERT INTO "+l.schema.Name+".rows_of_it VALUES (1)"))
		l.insert(t, l.pair.Primary, 1)
		l.awaitStatus(t, func(now ReplicaStatus) bool { return now.applyFailed })
		refused(t, l, "server replica cannot apply what it received")
	})
	t.Run("receive", func(t *testing.T) {
		t.Parallel()
		l := newLedger(t)
		run(t, openRoot(t, l.pair.Primary), "UPDATE "+l.schema.Name+".heartbeat SET beat = 1")
		require.NoError(t, l.pair.Sync(t.Context()))
		require.NoError(t, l.pair.Replica.Kill())
		l.insert(t, l.pair.Primary, 1)
		l.purge(t)
		require.NoError(t, l.pair.Replica.Restart(t.Context()))
		l.awaitStatus(t, func(now ReplicaStatus) bool { return now.receiveFailed })
		refused(t, l, "server replica stopped receiving before")

		var steps []string
		l.pair.Report = func(step string) { steps = append(steps, step) }
		require.NoError(t, l.pair.Primary.Kill())
		require.NoError(t, l.pair.ForceFailover(t.Context()))
		require.Contains(t, strings.Join(steps, "\n"), "and none after that: it has nothing that the primary took later")
		require.NoError(t, l.pair.Rejoin(t.Context()))
		l.insert(t, l.pair.Primary, 3)
		l.requireRoles(t, "replica", "3", 1)
	})
}

// awaitStatus waits until the replica says something of its replicating.
func (l ledger) awaitStatus(t *testing.T, says func(ReplicaStatus) bool) {
	t.Helper()
	db := openRoot(t, l.pair.Replica)
	require.Eventually(t, func() bool {
		now, err := ReadReplicaStatus(t.Context(), db)
		return err == nil && says(now)
	}, 30*time.Second, 20*time.Millisecond)
}

// purge leaves the primary nothing of its log but the newest file, which is empty.
func (l ledger) purge(t *testing.T) {
	t.Helper()
	db := openRoot(t, l.pair.Primary)
	run(t, db, "FLUSH BINARY LOGS")
	require.Eventually(t, func() bool {
		// But for a log that the connection to the lost replica still reads.
		run(t, db, "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
		logs, err := db.QueryContext(t.Context(), "SHOW BINARY LOGS")
		require.NoError(t, err)
		defer logs.Close() //nolint:errcheck // only read from
		count := 0
		for logs.Next() {
			count++
		}
		require.NoError(t, logs.Err())
		return count == 1
	}, 30*time.Second, 20*time.Millisecond)
}

func TestACommitWaitsForTheReplicaForASecondAndThenGoesOnWithoutUntilItIsBack(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	words := l.pair.engine.words()
	root := openRoot(t, l.pair.Primary)
	waiting := func() bool {
		row, err := queryRow(t.Context(), root, "SHOW GLOBAL STATUS LIKE '"+strings.Replace(words.semiSyncClients, "clients", "status", 1)+"'")
		require.NoError(t, err)
		return row["Value"] == "ON"
	}
	waitFor := func(milliseconds int) {
		run(t, root, fmt.Sprintf("SET GLOBAL %s = %d", words.semiSyncTimeout, milliseconds))
	}
	const anHour = 3_600_000
	count, err := l.pair.Primary.statusNumber(t.Context(), words.semiSyncClients)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	// Whoever had to wait for an hour would not come back from these commits.
	waitFor(anHour)
	l.insert(t, l.pair.Primary, 1)
	require.True(t, waiting())
	waitFor(semiSyncTimeout)
	require.NoError(t, l.pair.Replica.Pause())
	began := time.Now()
	l.insert(t, l.pair.Primary, 2)
	require.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
	require.False(t, waiting())
	waitFor(anHour)
	l.insert(t, l.pair.Primary, 3)
	require.NoError(t, l.pair.Replica.Continue())
	require.NoError(t, l.pair.Sync(t.Context()))
	require.Eventually(t, waiting, time.Minute, 50*time.Millisecond)
}
