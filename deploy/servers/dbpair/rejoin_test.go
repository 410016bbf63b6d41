package dbpair

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

func TestWhatNoReplicaAcknowledgedIsGoneWhenAKilledPrimaryRejoins(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	words := l.pair.engine.words()
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Sync(t.Context()))
	require.NoError(t, l.pair.Primary.exec(t.Context(), "SET GLOBAL "+words.semiSyncTimeout+" = 3600000"))
	require.NoError(t, l.pair.Replica.exec(t.Context(), stopReplica+" IO_THREAD"))
	var waiting sync.WaitGroup
	for id := range 3 {
		db := open(t, l.pair.Primary, l.schema.App, l.schema.Name)
		waiting.Go(func() {
			_, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO rows_of_it VALUES (%d)", 100+id))
			assert.Error(t, err, "it was not acknowledged")
		})
	}
	// MariaDB lets one wait for its whole group.
	sessions := strings.Replace(words.semiSyncClients, "clients", "wait_sessions", 1)
	require.Eventually(t, func() bool {
		count, err := l.pair.Primary.statusNumber(t.Context(), sessions)
		return err == nil && count > 0
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, l.pair.Primary.Kill())
	waiting.Wait()
	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 2)
	var steps []string
	l.pair.Report = func(step string) { steps = append(steps, step) }
	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.insert(t, l.pair.Primary, 3)
	l.requireRoles(t, "replica", "1,2,3", 1)
	_, mysql := l.pair.engine.(mysqlReplication)
	require.Equal(t, mysql, strings.Contains(strings.Join(steps, "\n"), "anew"), "MariaDB takes it back, MySQL does not: %v", steps)
}

func TestTheStateOfABinaryLogIsReadServerByServer(t *testing.T) {
	t.Parallel()
	state, err := parseGTIDs("0-1-100,0-2-105")
	require.NoError(t, err)
	require.Equal(t, gtids{"0-1": 100, "0-2": 105}, state)
	state, err = parseGTIDs("")
	require.NoError(t, err)
	require.Empty(t, state)
	_, err = parseGTIDs("7")
	require.Error(t, err)
}

func TestAReplicaThatThePrimarysLogNoLongerReachesIsGivenItsData(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *Server){
		"it was away for too long": func(*testing.T, *Server) {},
		"its data was lost": func(t *testing.T, server *Server) {
			t.Helper()
			switch body := server.instance.(type) {
			case *mariadbProcess:
				require.NoError(t, os.RemoveAll(filepath.Join(body.dir, "data")))
			case *mysqlContainer:
				_, err := docker(t.Context(), "rm", "--force", "--volumes", body.container)
				require.NoError(t, err)
				alive, err := body.Running()
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

func TestAReplicaThatHasReceivedWhatThePrimarysLogNoLongerHoldsKeepsItsData(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Sync(t.Context()))
	lock, err := openRoot(t, l.pair.Replica).Conn(t.Context())
	require.NoError(t, err)
	_, err = lock.ExecContext(t.Context(), "LOCK TABLES "+l.schema.Name+".rows_of_it READ")
	require.NoError(t, err)
	l.insert(t, l.pair.Primary, 2)
	l.purge(t)
	var steps []string
	l.pair.Report = func(step string) {
		steps = append(steps, step)
		if strings.Contains(step, "applies what it received") {
			_, err := lock.ExecContext(t.Context(), "UNLOCK TABLES")
			assert.NoError(t, err)
		}
	}
	require.NoError(t, l.pair.Rejoin(t.Context()))
	require.Contains(t, steps, l.pair.Replica.String()+" applies what it received")
	require.NotContains(t, strings.Join(steps, "\n"), "anew")
	l.insert(t, l.pair.Primary, 3)
	l.requireRoles(t, "primary", "1,2,3", 0)
}

func TestAServerThatFollowsWithTransactionsOfItsOwnIsGivenThePrimarysData(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	require.NoError(t, l.pair.Sync(t.Context()))
	require.NoError(t, l.pair.Replica.exec(t.Context(), l.pair.engine.words().beginRootWrites,
		"INSERT INTO "+l.schema.Name+".rows_of_it VALUES (100)"))
	var steps []string
	l.pair.Report = func(step string) { steps = append(steps, step) }
	require.NoError(t, l.pair.Rejoin(t.Context()))
	require.Contains(t, strings.Join(steps, "\n"), "server replica holds transactions that server primary lacks")
	l.requireRoles(t, "primary", "1", 0)
}
