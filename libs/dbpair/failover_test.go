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
)

// ledger is a schema with a table of rows and the heartbeat that services have.
type ledger struct {
	pair   *Pair
	schema Schema
}

func newLedger(t *testing.T) ledger {
	t.Helper()
	pair := newPair(t)
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

func TestAnOldPrimaryWithTransactionsOfItsOwnIsGivenTheNewOnesData(t *testing.T) {
	t.Parallel()
	for name, later := range map[string][]int{"it has more": nil, "it has less": {2, 3, 4, 5, 6, 7, 8, 9}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			l.insert(t, l.pair.Primary, 1)
			require.NoError(t, l.pair.Sync(t.Context()))
			require.NoError(t, l.pair.Replica.Kill())
			l.insert(t, l.pair.Primary, 100, 101, 102, 103, 104)
			run(t, openRoot(t, l.pair.Primary), "CREATE DATABASE only_there")
			require.NoError(t, l.pair.Primary.Kill())
			require.NoError(t, l.pair.Replica.Restart(t.Context()))
			require.NoError(t, l.pair.Failover(t.Context()))
			l.insert(t, l.pair.Primary, later...)
			var steps []string
			l.pair.Report = func(step string) { steps = append(steps, step) }
			require.NoError(t, l.pair.Rejoin(t.Context()))
			require.Contains(t, strings.Join(steps, "\n"), "server primary holds transactions that server replica lacks")
			l.insert(t, l.pair.Primary, 50)
			want := "1,50"
			if later != nil {
				want = "1,2,3,4,5,6,7,8,9,50"
			}
			l.requireRoles(t, "replica", want, 1)
			require.Zero(t, number(t, openRoot(t, l.pair.Replica), "SELECT COUNT(*) FROM information_schema.schemata "+
				"WHERE schema_name IN ('only_there', '"+rebuilding+"')"))

			// It is as good as the other: nobody must make data anew when the roles change back and again.
			steps = nil
			require.NoError(t, l.pair.Failover(t.Context()))
			require.NoError(t, l.pair.Replica.Kill())
			l.insert(t, l.pair.Primary, 51)
			require.NoError(t, l.pair.Rejoin(t.Context()))
			l.requireRoles(t, "primary", want+",51", 2)
			require.NotContains(t, strings.Join(steps, "\n"), "anew")
		})
	}
}

func TestAPrimaryThatHangsIsKilledBeforeAnotherIsPromoted(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Primary.Pause())
	require.NoError(t, l.pair.Failover(t.Context()))
	alive, err := l.pair.Replica.body.Lives()
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
	alive, err := l.pair.Primary.body.Lives()
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
		l.awaitStanding(t, func(now standing) bool { return now.broken })
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
		l.awaitStanding(t, func(now standing) bool { return now.gaveUp })
		refused(t, l, "server replica stopped receiving before")

		var steps []string
		l.pair.Report = func(step string) { steps = append(steps, step) }
		require.NoError(t, l.pair.Primary.Kill())
		require.NoError(t, l.pair.ForceFailover(t.Context()))
		require.Contains(t, strings.Join(steps, "\n"), "server replica holds nothing of the last")
		require.NoError(t, l.pair.Rejoin(t.Context()))
		l.insert(t, l.pair.Primary, 3)
		l.requireRoles(t, "replica", "3", 1)
	})
}

// awaitStanding waits until the replica says something of its replicating.
func (l ledger) awaitStanding(t *testing.T, says func(standing) bool) {
	t.Helper()
	db := openRoot(t, l.pair.Replica)
	require.Eventually(t, func() bool {
		now, err := l.pair.engine.standing(t.Context(), db)
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

func TestNothingIsDecidedBetweenServersThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.NoError(t, l.pair.engine.setReadOnly(t.Context(), l.pair.Replica, false))
	require.ErrorContains(t, l.pair.Failover(t.Context()), "both servers take writes (epoch of server primary: 0, of server replica: 0)")
	require.ErrorContains(t, l.pair.Rejoin(t.Context()), "both servers take writes with epoch 0")
	require.NoError(t, l.pair.Replica.Kill())
	require.NoError(t, l.pair.Primary.Kill())
	require.ErrorContains(t, l.pair.Failover(t.Context()), "neither server answers")
	require.ErrorContains(t, l.pair.Rejoin(t.Context()), "neither server answers")
}

func TestACommitWaitsForTheReplicaForASecondAndThenGoesOnWithoutUntilItIsBack(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	clients := l.pair.engine.words().semiSyncClients
	listening := func() int {
		count, err := l.pair.Primary.listeners(t.Context(), clients)
		require.NoError(t, err)
		return count
	}
	took := func(id int) time.Duration {
		began := time.Now()
		l.insert(t, l.pair.Primary, id)
		return time.Since(began)
	}
	require.Equal(t, 1, listening())
	require.Less(t, took(1), 900*time.Millisecond)
	require.NoError(t, l.pair.Replica.Pause())
	require.GreaterOrEqual(t, took(2), 900*time.Millisecond)
	require.Less(t, took(3), 900*time.Millisecond)
	require.NoError(t, l.pair.Replica.Continue())
	require.NoError(t, l.pair.Sync(t.Context()))
	status := strings.Replace(clients, "clients", "status", 1)
	require.Eventually(t, func() bool {
		row, err := queryRow(t.Context(), openRoot(t, l.pair.Primary), "SHOW GLOBAL STATUS LIKE '"+status+"'")
		return err == nil && row["Value"] == "ON"
	}, 10*time.Second, 50*time.Millisecond)
}

func TestADetachedPairStartsInTheRolesThatAFailoverGave(t *testing.T) {
	t.Parallel()
	options := detached(t)
	first, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.Close()) })

	found, err := Open(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, "primary", found.Primary.Name())
	require.NoError(t, found.Primary.Kill())
	require.NoError(t, found.Failover(t.Context()))
	require.NoError(t, found.Primary.exec(t.Context(), "CREATE DATABASE later"))

	// It brings the old primary back as the replica, and leaves the new one alone.
	running := found.Primary.body.(*mariadbBody).process.PID()
	again, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Close()) })
	require.Equal(t, "replica", again.Primary.Name())
	require.Equal(t, running, again.Primary.body.(*mariadbBody).process.PID())
	require.Equal(t, 1, number(t, openRoot(t, again.Replica), "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'later'"))
	reopened, err := Open(t.Context(), options)
	require.NoError(t, err)
	require.Equal(t, "replica", reopened.Primary.Name())
	require.NoError(t, recordPrimary(options.Dir, "primary"))
	reopened, err = Open(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, reopened.Orient(t.Context()))
	require.Equal(t, "replica", reopened.Primary.Name(), "what the servers say counts")

	// A failover that was cut off after it had recorded the new role has left a primary that follows, and nobody to write to.
	require.NoError(t, reopened.engine.setReadOnly(t.Context(), reopened.Primary, true))
	require.NoError(t, again.Stop(t.Context()))
	last, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, last.Close()) })
	require.Equal(t, "primary", last.Primary.Name())
	require.NoError(t, last.Primary.asRoot(func(db *sql.DB) error {
		now, err := last.engine.standing(t.Context(), db)
		require.False(t, now.configured)
		return err
	}))
	require.NoError(t, last.Primary.exec(t.Context(), "CREATE DATABASE still_later"))
	require.NoError(t, last.Sync(t.Context()))
}

func TestADetachedPairDoesNotStartWithAnEmptyPrimaryWhileItsReplicaHasTheData(t *testing.T) {
	t.Parallel()
	options := detached(t)
	pair, err := Start(t.Context(), options)
	require.NoError(t, err)
	schema, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	l := ledger{pair, schema}
	l.createTables(t)
	l.insert(t, pair.Primary, 1)
	run(t, openRoot(t, pair.Primary), "UPDATE "+schema.Name+".heartbeat SET beat = 1795000000000000")
	require.NoError(t, pair.Sync(t.Context()))
	require.NoError(t, pair.Stop(t.Context()))
	require.NoError(t, os.RemoveAll(filepath.Join(options.Dir, "primary")))

	_, err = Start(t.Context(), options)
	require.ErrorContains(t, err, "server replica holds newer data")
	l.pair, err = Open(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.pair.Close()) })
	require.NoError(t, l.pair.ForceFailover(t.Context()))
	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.insert(t, l.pair.Primary, 2)
	l.requireRoles(t, "replica", "1,2", 1)
}

func TestTheStateOfABinaryLogIsReadServerByServer(t *testing.T) {
	t.Parallel()
	state, err := binlogState("0-1-100,0-2-105")
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"0-1": 100, "0-2": 105}, state)
	state, err = binlogState("")
	require.NoError(t, err)
	require.Empty(t, state)
	_, err = binlogState("7")
	require.Error(t, err)
}

func TestAReplicaThatThePrimarysLogNoLongerReachesIsGivenItsData(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *Server){
		"it was away for too long": func(*testing.T, *Server) {},
		"its data was lost": func(t *testing.T, server *Server) {
			t.Helper()
			switch body := server.body.(type) {
			case *mariadbBody:
				require.NoError(t, os.RemoveAll(filepath.Join(body.dir, "data")))
			case *mysqlBody:
				_, err := docker(t.Context(), "rm", "--force", "--volumes", body.container)
				require.NoError(t, err)
				alive, err := body.Lives()
				require.NoError(t, err)
				require.False(t, alive)
				body.created = false
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			l.insert(t, l.pair.Primary, 1)
			require.NoError(t, l.pair.Sync(t.Context()))
			require.NoError(t, l.pair.Replica.Kill())
			lose(t, l.pair.Replica)
			l.insert(t, l.pair.Primary, 2)
			l.purge(t)
			require.NoError(t, l.pair.Replica.Restart(t.Context()))

			// A start goes on without it, and discards nothing.
			var steps []string
			l.pair.Report = func(step string) { steps = append(steps, step) }
			require.NoError(t, l.pair.Reattach(t.Context()))
			require.Contains(t, steps[len(steps)-1], "server replica lacks transactions that the log of server primary no longer holds")
			require.NoError(t, l.pair.Rejoin(t.Context()))
			l.insert(t, l.pair.Primary, 3)
			l.requireRoles(t, "primary", "1,2,3", 0)
			// It is a replica like any other, users and log included.
			require.NoError(t, l.pair.Failover(t.Context()))
			l.insert(t, l.pair.Primary, 4)
			l.requireRoles(t, "replica", "1,2,3,4", 1)
		})
	}
}

func TestARoleIsSaidByTheServersOrNotKnown(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.NoError(t, l.pair.Failover(t.Context()))
	l.pair.swap() // what somebody believes who did not see it
	require.NoError(t, l.pair.Orient(t.Context()))
	require.Equal(t, "replica", l.pair.Primary.Name())

	l.pair.swap()
	require.NoError(t, l.pair.Replica.Pause())
	require.ErrorContains(t, l.pair.Orient(t.Context()), "which server is the primary")
	require.NoError(t, l.pair.Replica.Continue())

	// A restore makes the primary read-only; cut off, it must be possible again.
	require.NoError(t, l.pair.engine.setReadOnly(t.Context(), l.pair.Replica, true))
	require.NoError(t, l.pair.Orient(t.Context()))
	require.Equal(t, "replica", l.pair.Primary.Name())
	require.ErrorContains(t, l.pair.Reattach(t.Context()), "a failover was interrupted: `make failover`")
	require.NoError(t, l.pair.Replica.exec(t.Context(), l.pair.engine.words().stop, l.pair.engine.words().forget))
	require.ErrorContains(t, l.pair.Orient(t.Context()), "which server is the primary")
}

func TestAWritableReplicaIsMadeReadOnly(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	require.NoError(t, l.pair.engine.setReadOnly(t.Context(), l.pair.Replica, false))
	require.NoError(t, l.pair.Reattach(t.Context()))
	l.requireRoles(t, "primary", "", 0)
}

func TestAPrimaryThatCannotBecomeReadOnlyInTimeStaysWritable(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	busy, err := openRoot(t, l.pair.Primary).Conn(t.Context())
	require.NoError(t, err)
	_, err = busy.ExecContext(t.Context(), "LOCK TABLES "+l.schema.Name+".rows_of_it WRITE")
	require.NoError(t, err)
	// Who gives up meanwhile is not overtaken: the server's end of waiting is waited for.
	ctx, cancel := context.WithCancel(t.Context())
	l.pair.Report = func(step string) {
		if strings.Contains(step, "becomes read-only") {
			time.AfterFunc(time.Second, cancel)
		}
	}
	err = l.pair.Failover(ctx)
	require.ErrorContains(t, err, "Lock wait timeout exceeded")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	_, err = busy.ExecContext(t.Context(), "UNLOCK TABLES")
	require.NoError(t, err)
	require.NoError(t, busy.Close())
	l.insert(t, l.pair.Primary, 1)
}

func TestAServerThatDockerCannotTellOfIsNotTakenForDead(t *testing.T) { //nolint:paralleltest // the address is in the environment
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	body := &mysqlBody{container: "oms-test-of-nobody"}
	_, err := body.Lives()
	require.Error(t, err)
	require.Error(t, body.kill())
}
