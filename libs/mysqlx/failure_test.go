package mysqlx_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/testservers"
)

// A pair takes seconds to start, so these share one, one after the other; each leaves it as it found it.
func TestWhenServersFail(t *testing.T) {
	t.Parallel()
	schema := newSchema(t, testservers.NewPair(t))
	t.Run("a replica that hangs is left out and no read fails", schema.replicaHangs)
	t.Run("a replica that dies is left out, no read fails, and it comes back", schema.replicaDies)
	t.Run("a replica that falls behind is left out until it has caught up", schema.replicaFallsBehind)
	t.Run("a process that starts while the replica is behind leaves it out", schema.startWhileBehind)
	t.Run("without a primary nothing is written, and reads without a token go on", schema.primaryDies)
	t.Run("a primary that hangs is unavailable", schema.primaryHangs)
	t.Run("a primary that commits nothing is not written to until it does", schema.commitsNothing)
	t.Run("two writable servers are none", schema.twoPrimaries)
	t.Run("a promoted replica takes the writes", schema.promotion)
	t.Run("a clock that was set is told, and reads and writes go on", schema.clockSet)
}

// whileReading reads all the time while disturb runs and demands that no read fails.
func whileReading(t *testing.T, cluster *mysqlx.Cluster, disturb func()) {
	t.Helper()
	stop, failed := make(chan struct{}), make(chan error, 1)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := where(t.Context(), cluster.Read); err != nil {
					select {
					case failed <- err:
					default:
					}
					return
				}
			}
		})
	}
	disturb()
	close(stop)
	group.Wait()
	close(failed)
	require.NoError(t, <-failed, "a read failed")
}

// awaitLeftOut waits until reads are not even tried on the replica: the primary answers before a try would have been given up.
func awaitLeftOut(t *testing.T, cluster *mysqlx.Cluster) {
	t.Helper()
	eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		found, err := where(ctx, cluster.Read)
		return err == nil && found == onPrimary
	})
}

// awaitRefusal waits until the cluster has no primary, for this reason.
func awaitRefusal(t *testing.T, cluster *mysqlx.Cluster, reason string) {
	t.Helper()
	eventually(t, func() bool {
		err := cluster.Ready()
		return err != nil && strings.Contains(err.Error(), reason)
	})
}

func (s schema) replicaHangs(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	defer func() { require.NoError(t, s.pair.Replica.Continue()) }()
	whileReading(t, cluster, func() {
		require.NoError(t, s.pair.Replica.Pause())
		type result struct {
			found server
			err   error
		}
		hanging := make(chan result, 2)
		for _, read := range []func(context.Context, func(context.Context, mysqlx.Reader) error) error{cluster.Read, cluster.ReadSlowly} {
			go func() {
				found, err := where(t.Context(), read)
				hanging <- result{found, err}
			}()
		}
		awaitLeftOut(t, cluster)
		for range cap(hanging) {
			require.Equal(t, result{found: onPrimary}, <-hanging, "the primary answers what the replica does not")
		}
		require.NoError(t, s.pair.Replica.Continue())
		awaitRead(t, cluster, onReplica)
	})
}

func (s schema) replicaDies(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	whileReading(t, cluster, func() {
		require.NoError(t, s.pair.Replica.Kill())
		awaitLeftOut(t, cluster)
		require.NoError(t, cluster.Ready())
		awaitUnhealthy(t, cluster, s.pair.Replica.Addr())
		awaitMeasured(t, cluster, map[string]float64{"mysql_replicas": 0, "mysql_semi_sync_replicas": 0})
		eventually(t, func() bool { return measured(t, cluster)["mysql_replica_lag_seconds "+s.pair.Replica.Addr()] > 1 })
		require.NoError(t, s.pair.Replica.Restart(t.Context()))
		awaitRead(t, cluster, onReplica)
	})
}

func (s schema) replication(t *testing.T, verb string) {
	t.Helper()
	_, err := rootOf(t, s.pair.Replica).ExecContext(t.Context(), verb+" REPLICA")
	require.NoError(t, err)
}

func (s schema) replicaFallsBehind(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	defer s.replication(t, "START")
	whileReading(t, cluster, func() {
		s.replication(t, "STOP")
		awaitRead(t, cluster, onPrimary)
		awaitUnhealthy(t, cluster, s.pair.Replica.Addr()+" is")
		s.replication(t, "START")
		awaitRead(t, cluster, onReplica)
	})
}

func (s schema) startWhileBehind(t *testing.T) {
	s.replication(t, "STOP")
	defer s.replication(t, "START")
	cluster := s.cluster(t)
	for began := time.Now(); time.Since(began) < mysqlx.MaxLag; {
		found, err := where(t.Context(), cluster.Read)
		require.NoError(t, err)
		require.Equal(t, onPrimary, found, "after %s", time.Since(began))
	}
}

func (s schema) primaryDies(t *testing.T) {
	require.NoError(t, s.pair.Sync(t.Context()))
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	require.NoError(t, s.pair.Primary.Kill())
	for noticed := false; !noticed; noticed = cluster.Ready() != nil {
		_, err := where(t.Context(), cluster.ReadLatest)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		err = cluster.Write(t.Context(), insert(1, "x"))
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	}
	awaitRead(t, cluster, onReplica)
	require.Zero(t, measured(t, cluster)["mysql_primary_writable"])
	require.NoError(t, s.pair.Primary.Restart(t.Context()))
	eventually(t, func() bool { return cluster.Ready() == nil })
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	require.NoError(t, s.pair.Sync(t.Context()))
}

func (s schema) primaryHangs(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	require.NoError(t, s.pair.Primary.Pause())
	// Also when an assertion fails: the tests behind would wait for a server that hangs.
	defer func() { require.NoError(t, s.pair.Primary.Continue()) }()
	eventually(t, func() bool { return cluster.Ready() != nil })
	_, err := where(t.Context(), cluster.ReadLatest)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	awaitRead(t, cluster, onReplica)
	require.NoError(t, s.pair.Primary.Continue())
	eventually(t, func() bool { return cluster.Ready() == nil })
	require.NoError(t, s.pair.Sync(t.Context()))
}

// clockSet comes last, because the heartbeats stay ahead of the clock.
func (s schema) clockSet(t *testing.T) {
	primary := s.pair.Replica // after the promotion
	_, err := rootOf(t, primary).ExecContext(t.Context(), "SET GLOBAL init_connect = 'SET SESSION timestamp = UNIX_TIMESTAMP() + 3600'")
	require.NoError(t, err)
	cluster := s.cluster(t)
	awaitUnhealthy(t, cluster, "the clock of "+primary.Addr()+" is ")
	require.Greater(t, measured(t, cluster)["mysql_clock_difference_seconds "+primary.Addr()], 3000.0)
	ctx := told(t, 0)
	require.NoError(t, cluster.Write(ctx, insert(200, "x")))
	found, err := where(ctx, cluster.Read)
	require.NoError(t, err)
	require.Equal(t, onPrimary, found)
}
