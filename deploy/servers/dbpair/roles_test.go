package dbpair

import (
	"context"
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

	// A restore makes the primary read-only; cut off, it must be possible again.
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
	body := &mysqlContainer{container: "oms-test-of-nobody"}
	_, err := body.Running()
	require.Error(t, err)
	require.Error(t, body.Kill())
}
