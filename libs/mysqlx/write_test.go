package mysqlx_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
)

func TestWriteCommitsAndTheReplicaHasItSoon(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	awaitRead(t, cluster, onReplica)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "꼬막무침 🍤")))
	require.Equal(t, []string{"꼬막무침 🍤"}, schema.names(t))
	eventually(t, func() bool {
		var name string
		err := cluster.Read(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			return reader.QueryRowContext(ctx, "SELECT name FROM item WHERE id = 1 AND @@global.read_only").Scan(&name)
		})
		return err == nil && name == "꼬막무침 🍤"
	})
}

func TestWriteRollsBackOnAnErrorAndReturnsIt(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	for _, failure := range []error{errors.New("no"), fault.NewNotFound()} {
		err := cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			return errors.Join(insert(1, "x")(ctx, tx), failure)
		})
		require.ErrorIs(t, err, failure)
		require.Empty(t, schema.names(t))
	}
}

func TestARefusalSaysHowNewTheRowsAre(t *testing.T) {
	t.Parallel()
	cluster := shared(t).cluster(t)
	for failure, says := range map[error]bool{fault.NewNotFound(): true, errors.New("no"): false} {
		for name, write := range writes(cluster) {
			ctx := consistency.Into(t.Context(), 0)
			require.ErrorIs(t, write(ctx, func(context.Context, mysqlx.Writer) error { return failure }), failure)
			require.Equal(t, says, consistency.WrittenBy(ctx) != 0, "%s: %v", name, failure)
		}
	}
}

func TestWriteRollsBackOnAPanicAndKeepsNoConnection(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	for range 50 { // more than a pool holds
		require.PanicsWithValue(t, "oh", func() {
			_ = cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
				require.NoError(t, insert(1, "x")(ctx, tx))
				panic("oh")
			})
		})
	}
	require.NoError(t, cluster.Write(t.Context(), insert(1, "y")))
	require.Equal(t, []string{"y"}, schema.names(t))
}

func TestADuplicateIsKnownAsOne(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	err := cluster.Write(t.Context(), insert(1, "y"))
	require.True(t, mysqlx.IsDuplicate(fmt.Errorf("wrapped: %w", err)))
	require.False(t, mysqlx.IsDuplicate(errors.New("1062")))
	require.Equal(t, []string{"x"}, schema.names(t))
}

func TestTwoTransactionsInEachOthersWayBothSucceed(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "")))
	require.NoError(t, cluster.Write(t.Context(), insert(2, "")))
	var both sync.WaitGroup // both hold their first row before either asks for its second
	both.Add(2)
	attempts := make(chan string, 10)
	append1 := func(ctx context.Context, tx mysqlx.Writer, id int, text string) error {
		_, err := tx.ExecContext(ctx, "UPDATE item SET name = CONCAT(name, ?) WHERE id = ?", text, id)
		return err
	}
	results := make(chan error, 2)
	for text, order := range map[string][2]int{"a": {1, 2}, "b": {2, 1}} {
		go func() {
			first := true
			results <- cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
				attempts <- text
				if err := append1(ctx, tx, order[0], text); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				return append1(ctx, tx, order[1], text)
			})
		}()
	}
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	require.Len(t, attempts, 3, "one of them ran again")
	names := schema.names(t)
	require.Len(t, names[0], 2, "each wrote once")
	require.Equal(t, names[0], names[1], "one after the other")
}

func TestOnlyConflictsAreTriedAgainAndAtMostThreeTimes(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	numbered := func(number uint16) error { return fmt.Errorf("wrapped: %w", &mysql.MySQLError{Number: number}) }
	for _, test := range []struct {
		failure  error
		code     fault.Code
		attempts int
		lost     bool // then WriteOnce tries again until its context ends
	}{
		{numbered(1213), fault.Unavailable, 3, false},
		{numbered(1205), fault.Unavailable, 3, false},
		{numbered(1020), fault.Unavailable, 3, false},
		{numbered(1062), fault.Internal, 1, false},
		{numbered(1146), fault.Internal, 1, false},
		{numbered(1290), fault.Unavailable, 1, true},
		{numbered(1317), fault.Unavailable, 1, true},
		{fault.NewNotFound(), fault.NotFound, 1, false},
		{fault.NewUnavailable(errors.New("a peer is down")), fault.Unavailable, 1, false},
		{errors.New("no"), fault.Internal, 1, false},
	} {
		for name, write := range writes(cluster) {
			if test.lost && name == "WriteOnce" {
				continue
			}
			attempts := 0
			err := write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
				attempts++
				require.NoError(t, insert(1, "x")(ctx, tx), "the attempt before left nothing")
				return test.failure
			})
			require.Equal(t, test.code, fault.Of(err).Code, "%s: %v", name, test.failure)
			require.Equal(t, test.attempts, attempts, "%s: %v", name, test.failure)
		}
	}
	require.Empty(t, schema.names(t))
}

// writes are both ways to write.
func writes(cluster *mysqlx.Cluster) map[string]func(context.Context, func(context.Context, mysqlx.Writer) error) error {
	return map[string]func(context.Context, func(context.Context, mysqlx.Writer) error) error{
		"Write": cluster.Write, "WriteOnce": cluster.WriteOnce,
	}
}

func TestALockThatIsHeldTooLongIsUnavailableAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	holder, err := schema.root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, holder.Rollback()) }()
	_, err = holder.ExecContext(t.Context(), "UPDATE item SET name = 'held' WHERE id = 1")
	require.NoError(t, err)
	attempts := 0
	err = cluster.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		attempts++
		var seconds int
		require.NoError(t, tx.QueryRowContext(ctx, "SELECT @@session.innodb_lock_wait_timeout").Scan(&seconds))
		require.Equal(t, 1, seconds, "what one attempt waits")
		if err := insert(2, "y")(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE item SET name = 'z' WHERE id = 1")
		return err
	})
	require.True(t, fault.Is(err, fault.Unavailable), err)
	require.Equal(t, 3, attempts)
	require.Equal(t, []string{"x"}, schema.names(t))
}

func TestAWriteEndsWithItsContextAndIsNotCommitted(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	for name, wait := range map[string]func(context.Context, mysqlx.Writer) error{
		"in a statement": func(ctx context.Context, tx mysqlx.Writer) error {
			_, err := tx.ExecContext(ctx, "DO SLEEP(20)")
			return err
		},
		"before COMMIT": func(ctx context.Context, _ mysqlx.Writer) error {
			<-ctx.Done()
			return nil
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := cluster.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
			return errors.Join(insert(1, "x")(ctx, tx), wait(ctx, tx))
		})
		cancel()
		require.True(t, fault.Is(err, fault.Timeout), "%s: %v", name, err)
		require.Empty(t, schema.names(t), name)
	}
}
