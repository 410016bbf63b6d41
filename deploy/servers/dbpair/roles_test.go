package dbpair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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

	// An interrupted failover leaves both servers read-only.
	require.NoError(t, l.pair.engine.setReadOnly(t.Context(), l.pair.Replica, true))
	require.NoError(t, l.pair.Orient(t.Context()))
	require.Equal(t, "replica", l.pair.Primary.Name())
	require.ErrorContains(t, l.pair.Reattach(t.Context()), "a failover was interrupted: `make failover`")
	require.NoError(t, l.pair.Replica.exec(t.Context(), stopReplica, forgetSource))
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
	l.beat(t, time.Now())
	unlock := l.lock(t)
	// Who gives up meanwhile is not overtaken: the server's end of waiting is waited for.
	ctx, cancel := context.WithCancel(t.Context())
	l.pair.Report = func(step string) {
		if strings.Contains(step, "becomes read-only") {
			time.AfterFunc(time.Second, cancel)
		}
	}
	err := l.pair.Failover(ctx)
	require.ErrorContains(t, err, "Lock wait timeout exceeded")
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	l.beat(t, time.Now())
	require.ErrorContains(t, l.pair.Failover(t.Context()), "shows there what holds a lock")
	unlock()
	l.insert(t, l.pair.Primary, 1)
}

func TestABusyPrimaryIsNotKilledForAnOldHeartbeatIfANewerOneComes(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	// As a failover leaves it that was refused a moment ago: what it asked for had kept the heartbeats waiting.
	l.beat(t, time.Now().Add(-time.Minute))
	require.NoError(t, l.pair.Sync(t.Context()))
	l.acknowledging(t, true)
	unlock := l.lock(t)
	l.pair.Report = func(step string) {
		if strings.Contains(step, "for a heartbeat") {
			l.beat(t, time.Now())
		}
	}
	require.ErrorContains(t, l.pair.Failover(t.Context()), "shows there what holds a lock")
	alive, err := l.pair.Primary.Running()
	require.NoError(t, err)
	require.True(t, alive)
	unlock()
	l.insert(t, l.pair.Primary, 1)
	l.requireRoles(t, "primary", "1", 0)
}

// beat writes the heartbeat that a service would have written at a time.
func (l ledger) beat(t *testing.T, at time.Time) {
	t.Helper()
	run(t, openRoot(t, l.pair.Primary), fmt.Sprintf("UPDATE %s.heartbeat SET beat = %d", l.schema.Name, at.UnixMicro()))
}

// lock keeps the primary from becoming read-only, as commits do that wait for space on a full disk.
func (l ledger) lock(t *testing.T) (unlock func()) {
	t.Helper()
	holder, err := openRoot(t, l.pair.Primary).Conn(t.Context())
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "LOCK TABLES "+l.schema.Name+".rows_of_it WRITE")
	require.NoError(t, err)
	return func() {
		_, err := holder.ExecContext(t.Context(), "UNLOCK TABLES")
		require.NoError(t, errors.Join(err, holder.Close()))
	}
}

// acknowledging lets the primary wait for its replica before it acknowledges a commit, or no longer.
func (l ledger) acknowledging(t *testing.T, waits bool) {
	t.Helper()
	words := l.pair.engine.words()
	run(t, openRoot(t, l.pair.Primary), fmt.Sprintf("SET GLOBAL %s = %t", strings.Replace(words.semiSyncTimeout, "timeout", "enabled", 1), waits))
	require.Eventually(t, func() bool {
		status, err := l.pair.Primary.status(t.Context(), words.semiSyncStatus)
		return err == nil && (status == "ON") == waits
	}, time.Minute, 50*time.Millisecond)
}

func TestAPrimaryThatAnswersAndCommitsNothingIsReplacedIfTheReplicaHasAllThatItAcknowledged(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	l.beat(t, time.Now().Add(-time.Minute))
	require.NoError(t, l.pair.Sync(t.Context()))
	l.acknowledging(t, false)
	unlock := l.lock(t)
	require.ErrorContains(t, l.pair.Failover(t.Context()), "server primary does not wait for server replica")
	unlock()
	l.insert(t, l.pair.Primary, 2) // it has stayed the primary

	require.NoError(t, l.pair.Sync(t.Context()))
	l.acknowledging(t, true)
	l.lock(t)
	require.NoError(t, l.pair.Failover(t.Context()))
	alive, err := l.pair.Replica.Running()
	require.NoError(t, err)
	require.False(t, alive)
	l.insert(t, l.pair.Primary, 3)
	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.requireRoles(t, "replica", "1,2,3", 1)
}

func TestARestartedPrimaryIsReplacedOnlyOnceTheReplicaHasWhatItAcknowledgedBefore(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.insert(t, l.pair.Primary, 1)
	l.beat(t, time.Now().Add(-time.Minute))
	require.NoError(t, l.pair.Sync(t.Context()))
	require.NoError(t, l.pair.Replica.exec(t.Context(), stopReplica+" IO_THREAD"))
	l.insert(t, l.pair.Primary, 2) // acknowledged after a second
	require.NoError(t, l.pair.Primary.Kill())
	require.NoError(t, l.pair.Primary.Restart(t.Context()))
	status, err := l.pair.Primary.status(t.Context(), l.pair.engine.words().semiSyncStatus)
	require.NoError(t, err)
	require.Equal(t, "ON", status, "as if it had waited")
	l.lock(t)
	require.ErrorContains(t, l.pair.Failover(t.Context()), "server replica has not received all from server primary")
	alive, err := l.pair.Primary.Running()
	require.NoError(t, err)
	require.True(t, alive)

	require.NoError(t, l.pair.Replica.exec(t.Context(), "START REPLICA"))
	l.awaitStatus(t, func(now ReplicaStatus) bool { return now.receiving })
	require.NoError(t, l.pair.Failover(t.Context()))
	l.insert(t, l.pair.Primary, 3)
	require.Equal(t, "1,2,3", l.ids(t, l.pair.Primary))
}

func TestAPrimaryThatHasNoSpaceToAnswerIsReplacedIfTheReplicaHasAllThatItAcknowledgedOrByForce(t *testing.T) {
	t.Parallel()
	// What asks the server for its epoch gets the error of a full disk.
	full := func(t *testing.T, l ledger) {
		t.Helper()
		name := l.schema.Name
		require.NoError(t, l.pair.Primary.exec(t.Context(), unlogged, "RENAME TABLE "+name+".heartbeat TO "+name+".beats",
			"CREATE FUNCTION "+name+".full() RETURNS BIGINT DETERMINISTIC NO SQL "+
				"BEGIN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021; RETURN 0; END",
			"CREATE VIEW "+name+".heartbeat AS SELECT id, beat, "+name+".full() AS epoch FROM "+name+".beats"))
	}
	for _, waits := range []bool{true, false} {
		t.Run(fmt.Sprint("waits for the replica: ", waits), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			l.insert(t, l.pair.Primary, 1)
			require.NoError(t, l.pair.Sync(t.Context()))
			l.acknowledging(t, waits)
			full(t, l)
			failover := l.pair.Failover
			if !waits {
				require.ErrorContains(t, failover(t.Context()), "server primary does not wait for server replica")
				alive, err := l.pair.Primary.Running()
				require.NoError(t, err)
				require.True(t, alive)
				failover = l.pair.ForceFailover
			}
			require.NoError(t, failover(t.Context()))
			l.insert(t, l.pair.Primary, 2)
			require.Equal(t, "1,2", l.ids(t, l.pair.Primary))
		})
	}
}

func TestAServerThatDockerCannotTellOfIsNotTakenForDead(t *testing.T) { //nolint:paralleltest // the address is in the environment
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
	body := &mysqlContainer{container: "oms-test-of-nobody"}
	_, err := body.Running()
	require.Error(t, err)
	require.Error(t, body.Kill())
}
