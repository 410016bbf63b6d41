package mysqlx_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

// One promotion after the other on one pair; the last leaves it as no other test would like it.
func TestWhenAServerIsPromoted(t *testing.T) {
	t.Parallel()
	schema := newSchema(t, testservers.NewPair(t))
	t.Run("while requests write, none is lost or doubled", schema.promotionWhileWriting)
}

func TestWhenAPrimaryThatHungComesBack(t *testing.T) {
	t.Parallel()
	schema := newSchema(t, testservers.NewPair(t))
	t.Run("what it acknowledges and answers then does not count", schema.replacedUnderATransaction)
	t.Run("it is not written to, whoever was there before", schema.oldPrimaryComesBack)
}

// setEpoch does the first half of a promotion, after which the server is still read-only. The epoch is above that of every other
// server, as a promotion makes it.
func setEpoch(t *testing.T, s schema, server *dbpair.Server, epoch int) {
	t.Helper()
	root := rootOf(t, server)
	// MySQL refuses root, too, until this is off; MariaDB does not know it.
	_, _ = root.ExecContext(t.Context(), "SET GLOBAL super_read_only = OFF")
	_, err := root.ExecContext(t.Context(), "UPDATE "+s.Name+".heartbeat SET epoch = ? WHERE id = 1", epoch)
	require.NoError(t, err)
}

// writing runs WriteOnce from several goroutines until stop, and returns what was acknowledged.
func writing(t *testing.T, cluster *mysqlx.Cluster, stop <-chan struct{}) (wait func() []int) {
	t.Helper()
	var group sync.WaitGroup
	var mutex sync.Mutex
	var next atomic.Int64
	next.Store(1000)
	var acknowledged []int
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				id, runs := int(next.Add(1)), 0
				ctx, cancel := context.WithTimeout(t.Context(), patient)
				err := cluster.WriteOnce(ctx, once(id, "x", &runs))
				cancel()
				switch {
				case err == nil:
					mutex.Lock()
					acknowledged = append(acknowledged, id)
					mutex.Unlock()
				case !fault.Is(err, fault.Unavailable):
					t.Errorf("write %d: %v", id, err)
				}
			}
		})
	}
	return func() []int {
		group.Wait()
		return acknowledged
	}
}

func (s schema) promotionWhileWriting(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	stop := make(chan struct{})
	wait := writing(t, cluster, stop)
	setReadOnly(t, s.pair.Primary, "ON")
	require.NoError(t, s.pair.Sync(t.Context()))
	s.replication(t, "STOP")
	setEpoch(t, s, s.pair.Replica, 1)
	setReadOnly(t, s.pair.Replica, "OFF")
	eventually(t, func() bool { return cluster.Write(t.Context(), insert(1, "promoted")) == nil })
	close(stop)
	acknowledged := wait()
	var found int
	root := rootOf(t, s.pair.Replica)
	for _, id := range acknowledged {
		require.NoError(t, root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+s.Name+".item WHERE id = ?", id).Scan(&found))
		require.Equal(t, 1, found, "an acknowledged write is lost")
	}
	require.NotEmpty(t, acknowledged)
	require.Contains(t, s.namesOn(t, s.pair.Replica), "promoted")
	require.NotContains(t, s.namesOn(t, s.pair.Primary), "promoted")
}

// replacedUnderATransaction has another server promoted while a transaction and a read are under way on a primary that
// goes on to answer, as one does that hung for a while.
func (s schema) replacedUnderATransaction(t *testing.T) {
	cluster := s.cluster(t)
	s.replication(t, "STOP")
	begun, replaced, refused := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		refused <- cluster.Write(t.Context(), func(context.Context, mysqlx.Writer) error {
			close(begun)
			<-replaced
			return fault.NewForbidden()
		})
	}()
	<-begun
	err := cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		setEpoch(t, s, s.pair.Replica, 1)
		awaitRefusal(t, cluster, "was replaced")
		return insert(1, "lost")(ctx, tx)
	})
	require.True(t, fault.Is(err, fault.OutcomeUnknown), "%v", err)
	close(replaced)
	err = <-refused
	require.True(t, fault.Is(err, fault.Unavailable), "it may have refused because it did not know better: %v", err)
	require.ErrorContains(t, cluster.Ready(), "was replaced", "the new one is not writable yet")
	require.True(t, fault.Is(cluster.Write(t.Context(), insert(2, "late")), fault.Unavailable))

	setReadOnly(t, s.pair.Replica, "OFF")
	eventually(t, func() bool { return cluster.Ready() == nil })
	require.NoError(t, cluster.Write(t.Context(), insert(3, "new")))
	// Back to the old one, with an epoch higher still, while a read is under way.
	runs := 0
	require.NoError(t, cluster.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
		runs++
		if runs == 1 {
			setReadOnly(t, s.pair.Replica, "ON")
			setEpoch(t, s, s.pair.Primary, 2)
			eventually(t, func() bool { return cluster.Write(ctx, insert(4, "back")) == nil })
		}
		var name string
		return reader.QueryRowContext(ctx, "SELECT name FROM item WHERE id = 4").Scan(&name)
	}))
	require.Equal(t, 2, runs, "what the former primary says is not the latest")
	require.Contains(t, s.namesOn(t, s.pair.Primary), "back")
	require.NotContains(t, s.namesOn(t, s.pair.Replica), "back")
}

// oldPrimaryComesBack goes on where replacedUnderATransaction ended: the first server is the primary again.
func (s schema) oldPrimaryComesBack(t *testing.T) {
	require.NoError(t, s.pair.Primary.Pause())
	defer func() { require.NoError(t, s.pair.Primary.Continue()) }()
	setEpoch(t, s, s.pair.Replica, 3)
	setReadOnly(t, s.pair.Replica, "OFF")
	cluster := s.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(11, "while it hangs")))
	require.NoError(t, s.pair.Primary.Continue())
	other := s.cluster(t)
	require.NoError(t, s.migrate(t, migrations("CREATE TABLE step (id INT NOT NULL)"), s.pair.Primary.Addr(), s.pair.Replica.Addr()))
	s.requireStep(t, s.pair.Replica, s.pair.Primary)
	later := 0
	for id := 20; id < 120; id++ {
		require.NoError(t, cluster.Write(t.Context(), insert(id, "later")))
		require.NoError(t, other.Write(t.Context(), insert(id+1000, "later")))
	}
	require.NotContains(t, s.namesOn(t, s.pair.Primary), "later")
	require.NoError(t, rootOf(t, s.pair.Replica).QueryRowContext(t.Context(),
		"SELECT COUNT(*) FROM "+s.Name+".item WHERE name = 'later'").Scan(&later))
	require.Equal(t, 200, later)
	// The new one goes away: a process that knows better does not fall back to the old one, even as the only one left.
	setReadOnly(t, s.pair.Replica, "ON")
	awaitRefusal(t, cluster, "was replaced")
	require.True(t, fault.Is(cluster.Write(t.Context(), insert(12, "lost")), fault.Unavailable))
}

// requireStep demands that the migrations went to one server and not to the other.
func (s schema) requireStep(t *testing.T, there, notThere *dbpair.Server) {
	t.Helper()
	for server, want := range map[*dbpair.Server]int{there: 1, notThere: 0} {
		var count int
		require.NoError(t, rootOf(t, server).QueryRowContext(t.Context(),
			"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = 'step'", s.Name).Scan(&count))
		require.Equal(t, want, count, server.Name())
	}
}
