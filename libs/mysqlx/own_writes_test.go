package mysqlx_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
)

// A pair takes seconds to start, so these share one, one after the other; each leaves it as it found it.
func TestWhoWroteReadsNoLess(t *testing.T) {
	t.Parallel()
	schema := newSchema(t, testservers.NewPair(t))
	t.Run("from the replica once it has the write", schema.caughtUp)
	t.Run("while the replica stops and starts", schema.writesAndReads)
	t.Run("from the primary while the replica lacks the write", schema.lacksTheWrite)
	t.Run("what a replica does not find is asked of the primary", schema.readThrough)
	t.Run("without the primary only from a replica that has it", schema.withoutPrimary)
}

// told is a context of a caller that was told the token.
func told(t *testing.T, token consistency.Token) context.Context {
	t.Helper()
	return consistency.Into(t.Context(), token)
}

// write runs work as a request of its own and returns the token that its caller is told.
func write(t *testing.T, cluster *mysqlx.Cluster, work func(context.Context, mysqlx.Writer) error) consistency.Token {
	t.Helper()
	ctx := told(t, 0)
	require.NoError(t, cluster.Write(ctx, work))
	token := consistency.WrittenBy(ctx)
	require.NotZero(t, token)
	return token
}

// setNumber returns work that gives an item a number, which is its name.
func setNumber(id, number int) func(context.Context, mysqlx.Writer) error {
	return func(ctx context.Context, tx mysqlx.Writer) error {
		_, err := tx.ExecContext(ctx, "UPDATE item SET name = ? WHERE id = ?", number, id)
		return err
	}
}

func getNumber(ctx context.Context, cluster *mysqlx.Cluster, id int) (number int, from server, err error) {
	err = cluster.Read(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
		var readOnly bool
		row := reader.QueryRowContext(ctx, "SELECT CAST(name AS UNSIGNED), @@global.read_only FROM item WHERE id = ?", id)
		if err := row.Scan(&number, &readOnly); err != nil {
			return err
		}
		from = onPrimary
		if readOnly {
			from = onReplica
		}
		return nil
	})
	return number, from, err
}

// applying starts or stops what a replica does with what it receives.
func (s schema) applying(t *testing.T, verb string) {
	t.Helper()
	_, err := rootOf(t, s.pair.Replica).ExecContext(t.Context(), verb+" REPLICA SQL_THREAD")
	require.NoError(t, err)
}

func (s schema) caughtUp(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	token := write(t, cluster, insert(1, "0"))
	eventually(t, func() bool {
		number, from, err := getNumber(told(t, token), cluster, 1)
		require.NoError(t, err)
		require.Zero(t, number)
		return from == onReplica
	})
	_, from, err := getNumber(told(t, consistency.Newest), cluster, 1)
	require.NoError(t, err)
	require.Equal(t, onPrimary, from)
}

// Each caller writes a number and reads it back, through another process than it wrote through, until the replica
// answers: so that reads fall just where a replica begins to serve. The replica falls behind and catches up meanwhile.
func (s schema) writesAndReads(t *testing.T) {
	const callers, writes = 4, 60
	const patience = 200 * time.Millisecond // until the next write
	for id := range callers {
		_, err := s.root.ExecContext(t.Context(), "REPLACE INTO item VALUES (?, '0')", 10+id)
		require.NoError(t, err)
	}
	require.NoError(t, s.pair.Sync(t.Context()))
	processes := []*mysqlx.Cluster{s.cluster(t), s.cluster(t)}
	for _, process := range processes {
		awaitRead(t, process, onReplica)
	}
	var fromReplica, fromPrimary atomic.Int64
	var group sync.WaitGroup
	for id := range callers {
		group.Go(func() {
			// A busy machine may need more of them until both servers have answered.
			for number := 1; number <= writes || fromReplica.Load() == 0 || fromPrimary.Load() == 0; number++ {
				ctx := consistency.Into(t.Context(), 0)
				if err := processes[number%2].Write(ctx, setNumber(10+id, number)); err != nil {
					t.Errorf("write %d: %v", number, err)
					return
				}
				token := consistency.WrittenBy(ctx)
				for asked := time.Now(); time.Since(asked) < patience; {
					found, from, err := getNumber(consistency.Into(t.Context(), token), processes[(number+1)%2], 10+id)
					if err != nil || found != number {
						t.Errorf("caller %d wrote %d and read %d from the %s: %v", id, number, found, from, err)
						return
					}
					if from == onReplica {
						fromReplica.Add(1)
						break
					}
					fromPrimary.Add(1)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	s.stopAndStart(t, ended)
	t.Logf("%d reads from the replica, %d from the primary", fromReplica.Load(), fromPrimary.Load())
}

// stopAndStart stops and starts the replica's applying in turn until ended.
func (s schema) stopAndStart(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	defer s.applying(t, "START")
	ticker := time.NewTicker(300 * time.Millisecond)
	defer ticker.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-ended:
			return
		case <-ticker.C:
			s.applying(t, []string{"STOP", "START"}[turn%2])
		}
	}
}

func (s schema) lacksTheWrite(t *testing.T) {
	cluster := s.cluster(t)
	awaitRead(t, cluster, onReplica)
	s.applying(t, "STOP")
	defer s.applying(t, "START")
	token := write(t, cluster, insert(2, "7"))
	for range 500 {
		number, from, err := getNumber(told(t, token), cluster, 2)
		require.NoError(t, err)
		require.Equal(t, 7, number)
		require.Equal(t, onPrimary, from)
	}
	s.applying(t, "START")
	eventually(t, func() bool {
		_, from, err := getNumber(told(t, token), cluster, 2)
		return err == nil && from == onReplica
	})
}

func (s schema) readThrough(t *testing.T) {
	cluster := s.cluster(t)
	// A row that never reaches the replica, which is not behind otherwise, however long this takes.
	mysqlxtest.Database{Root: s.root}.OnPrimaryAlone(t)("INSERT INTO item VALUES (3, 'x')")
	for _, absent := range []error{sql.ErrNoRows, fault.NewNotFound()} {
		find := func(id int) func(context.Context, mysqlx.Reader) error {
			return func(ctx context.Context, reader mysqlx.Reader) error {
				err := reader.QueryRowContext(ctx, "SELECT id FROM item WHERE id = ?", id).Scan(new(int))
				if errors.Is(err, sql.ErrNoRows) {
					return absent
				}
				return err
			}
		}
		eventually(t, func() bool { return errors.Is(cluster.Read(t.Context(), find(3)), absent) })
		require.NoError(t, cluster.ReadThrough(t.Context(), find(3)))
		require.ErrorIs(t, cluster.ReadThrough(t.Context(), find(4)), absent)
	}
}

func (s schema) withoutPrimary(t *testing.T) {
	require.NoError(t, s.pair.Sync(t.Context()))
	cluster := s.cluster(t)
	old := write(t, cluster, insert(5, "5"))
	eventually(t, func() bool {
		_, from, err := getNumber(told(t, old), cluster, 5)
		return err == nil && from == onReplica
	})
	recent := old + consistency.Token(time.Hour.Microseconds()) // of a write that the replica does not have
	require.NoError(t, s.pair.Primary.Kill())
	defer func() { require.NoError(t, s.pair.Primary.Restart(t.Context())) }()
	for range 20 {
		_, _, err := getNumber(told(t, recent), cluster, 5)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Equal(t, time.Second, fault.Of(err).RetryAfter)
	}
	eventually(t, func() bool {
		number, from, err := getNumber(told(t, old), cluster, 5)
		return err == nil && from == onReplica && number == 5
	})
}
