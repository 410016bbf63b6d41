package dbpair

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

func TestBinaryLogsAreRemovedBeyondALimitUnlessTheOtherServerLacksWhatTheyHold(t *testing.T) {
	t.Parallel()
	pair := newPair(t)
	primary, replica := openRoot(t, pair.Primary), openRoot(t, pair.Replica)
	execute := func(db *sql.DB, statements ...string) {
		t.Helper()
		require.NoError(t, execAll(t.Context(), db, statements...))
	}
	logs := func(db *sql.DB) (names []string) {
		t.Helper()
		found, err := binaryLogs(t.Context(), db)
		require.NoError(t, err)
		for _, log := range found {
			names = append(names, log.name)
		}
		return names
	}
	write := func() { // three logs, each with a transaction
		t.Helper()
		for range 3 {
			execute(primary, "INSERT INTO shop.things () VALUES ()", "FLUSH BINARY LOGS")
		}
	}
	onlyNewest := func(server, other *sql.DB) { // the server itself keeps a log that is being read
		t.Helper()
		require.NoError(t, proc.Poll(t.Context(), func() error {
			_, err := TrimLogs(t.Context(), server, other, 1)
			if left := logs(server); err == nil && len(left) > 1 {
				err = fmt.Errorf("left: %v", left)
			}
			return err
		}))
	}
	execute(primary, "CREATE DATABASE shop", "CREATE TABLE shop.things (id INT AUTO_INCREMENT PRIMARY KEY)")
	write()
	require.Greater(t, len(logs(primary)), 3)
	require.NoError(t, pair.Sync(t.Context()))

	// Within the limit all stay, and beyond it only the newest is sure to.
	before := logs(primary)
	removed, err := TrimLogs(t.Context(), primary, replica, 1<<30)
	require.NoError(t, err)
	require.Zero(t, removed)
	require.Equal(t, before, logs(primary))
	onlyNewest(primary, replica)

	// What the replica has received and not applied would be lost with it: a replica that restarts asks for it again.
	execute(replica, "STOP REPLICA SQL_THREAD")
	write()
	held := logs(primary)
	removed, err = TrimLogs(t.Context(), primary, replica, 1)
	require.NoError(t, err)
	require.Zero(t, removed)
	require.Equal(t, held, logs(primary))
	require.NoError(t, pair.Replica.Kill())
	_, err = TrimLogs(t.Context(), primary, replica, 1)
	require.Error(t, err)
	require.Equal(t, held, logs(primary))

	// It finds everything when it comes back. Then it needs the logs no more, and the primary needs none of the replica's.
	require.NoError(t, pair.Replica.Restart(t.Context()))
	execute(replica, "START REPLICA")
	require.NoError(t, pair.Sync(t.Context()))
	onlyNewest(primary, replica)
	execute(replica, "FLUSH BINARY LOGS")
	onlyNewest(replica, primary)
	write()
	require.NoError(t, pair.Failover(t.Context()))
	require.NoError(t, pair.Sync(t.Context()))
}

func TestAPositionThatAServerDoesNotKnowIsNotTakenForTheBeginning(t *testing.T) {
	t.Parallel()
	db := openRoot(t, sharedPair(t).Primary)
	for _, query := range []string{"SELECT NULL", "SELECT CONCAT('0-1-', NULL)"} {
		_, err := queryGTIDs(t.Context(), db, query)
		require.ErrorContains(t, err, "the server does not know "+query)
	}
}
