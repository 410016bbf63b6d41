package dbpair

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADetachedPairStartsInTheRolesThatAFailoverGave(t *testing.T) {
	t.Parallel()
	options := detached(t)
	first, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, first.Close()) })

	found, err := Open(options)
	require.NoError(t, err)
	require.Equal(t, "primary", found.Primary.Name())
	require.NoError(t, found.Primary.Kill())
	require.NoError(t, found.Failover(t.Context()))
	require.NoError(t, found.Primary.exec(t.Context(), "CREATE DATABASE later"))

	// It brings the old primary back as the replica, and leaves the new one alone.
	running := found.Primary.instance.(*mariadbProcess).PID()
	again, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Close()) })
	require.Equal(t, "replica", again.Primary.Name())
	require.Equal(t, running, again.Primary.instance.(*mariadbProcess).PID())
	require.Equal(t, 1, number(t, openRoot(t, again.Replica), "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'later'"))
	reopened, err := Open(options)
	require.NoError(t, err)
	require.Equal(t, "replica", reopened.Primary.Name())
	require.NoError(t, recordPrimary(options.Dir, "primary"))
	reopened, err = Open(options)
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
		now, err := ReadReplicaStatus(t.Context(), db)
		require.False(t, now.Configured)
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
	l := ledgerIn(t, pair)
	l.insert(t, pair.Primary, 1)
	run(t, openRoot(t, pair.Primary), "UPDATE "+l.schema.Name+".heartbeat SET beat = 1795000000000000")
	require.NoError(t, pair.Sync(t.Context()))
	require.NoError(t, pair.Stop(t.Context()))
	require.NoError(t, os.RemoveAll(filepath.Join(options.Dir, "primary")))

	_, err = Start(t.Context(), options)
	require.ErrorContains(t, err, "server replica holds newer data")
	l.pair, err = Open(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.pair.Close()) })
	require.NoError(t, l.pair.ForceFailover(t.Context()))
	require.NoError(t, l.pair.Rejoin(t.Context()))
	l.insert(t, l.pair.Primary, 2)
	l.requireRoles(t, "replica", "1,2", 1)
}

func TestAStartLeavesAServerThatHangsAloneAndSaysWhatHelps(t *testing.T) {
	t.Parallel()
	options := detached(t)
	pair, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	var steps []string
	options.Report = func(step string) { steps = append(steps, step) }

	require.NoError(t, pair.Replica.Pause())
	_, err = Start(t.Context(), options)
	require.NoError(t, err)
	require.Contains(t, steps, "server primary goes on alone: replica hangs: it runs and does not answer")
	require.Contains(t, steps, "`make rejoin` kills server replica and starts it again")
	require.NoError(t, pair.Replica.Continue())

	require.NoError(t, pair.Primary.Pause())
	_, err = Start(t.Context(), options)
	require.ErrorContains(t, err, "primary hangs: it runs and does not answer\n`make failover` makes server replica the primary")
	require.NoError(t, pair.Primary.Continue())
	require.NoError(t, pair.Sync(t.Context()))
}
