package mysqlx_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
)

// once returns work that adds an item unless it was added before, as work with a claimed key does, and counts its runs.
func once(id int, name string, runs *int) func(context.Context, mysqlx.Writer) error {
	return func(ctx context.Context, tx mysqlx.Writer) error {
		*runs++
		_, err := tx.ExecContext(ctx, "INSERT IGNORE INTO item (id, name) VALUES (?, ?)", id, name)
		return err
	}
}

func TestWriteOnceFindsOutWhetherACommitHappened(t *testing.T) {
	t.Parallel()
	for _, when := range []mysqlxtest.Loss{mysqlxtest.BeforeCommit, mysqlxtest.AfterCommit} {
		schema := shared(t)
		proxy := mysqlxtest.NewProxy(t, schema.pair.Primary.Addr())
		cluster := schema.cluster(t, proxy.Addr())
		proxy.Lose(when)
		runs := 0
		ctx := told(t, 0)
		require.NoError(t, cluster.WriteOnce(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
			if runs == 1 {
				proxy.Lose(mysqlxtest.Never)
			}
			return once(1, "x", &runs)(ctx, tx)
		}))
		require.Equal(t, 2, runs)
		require.Equal(t, []string{"x"}, schema.names(t))
		require.NotZero(t, consistency.WrittenBy(ctx))
	}
}

func TestWriteOnceSaysUnknownWhenTimeIsUpBeforeItFoundOut(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	proxy := mysqlxtest.NewProxy(t, schema.pair.Primary.Addr())
	cluster := schema.cluster(t, proxy.Addr())
	proxy.Lose(mysqlxtest.BeforeCommit)
	ctx, cancel := context.WithCancel(told(t, 0))
	defer cancel()
	runs := 0
	err := cluster.WriteOnce(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		if runs == 2 {
			cancel()
		}
		return once(1, "x", &runs)(ctx, tx)
	})
	require.True(t, fault.Is(err, fault.OutcomeUnknown), "%v", err)
	require.Greater(t, runs, 1)
	soon := uint64(time.Now().Add(time.Second).UnixMicro())
	require.Greater(t, uint64(consistency.WrittenBy(ctx)), soon, "it may be committed late")
}

func TestWriteOnceSaysUnknownWhereAnErrorKeepsItFromFindingOut(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	proxy := mysqlxtest.NewProxy(t, schema.pair.Primary.Addr())
	cluster := schema.cluster(t, proxy.Addr())
	refused := fault.New(fault.Forbidden, "No.", nil)
	for want, second := range map[fault.Code]error{
		fault.OutcomeUnknown: &mysql.MySQLError{Number: 1146}, fault.Forbidden: refused,
	} {
		proxy.Lose(mysqlxtest.BeforeCommit)
		runs := 0
		err := cluster.WriteOnce(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
			if runs == 1 {
				proxy.Lose(mysqlxtest.Never)
				runs++
				return second
			}
			return once(1, "x", &runs)(ctx, tx)
		})
		require.True(t, fault.Is(err, want), "%v", err)
		require.Equal(t, 2, runs)
	}
}

func TestWriteOnceWaitsForItsOwnFirstTryAndForNobodyElses(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	proxy := mysqlxtest.NewProxy(t, schema.pair.Primary.Addr())
	cluster := schema.cluster(t, proxy.Addr())
	inFlight := fault.New(fault.Conflict, "A request with this key is in flight.", &mysql.MySQLError{Number: 1205})
	runs := 0
	err := cluster.WriteOnce(t.Context(), func(context.Context, mysqlx.Writer) error {
		runs++
		return inFlight
	})
	require.Same(t, inFlight, err)
	require.Equal(t, 1, runs)

	proxy.Lose(mysqlxtest.BeforeCommit)
	runs = 0
	require.NoError(t, cluster.WriteOnce(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		if runs == 1 || runs == 2 {
			proxy.Lose(mysqlxtest.Never)
			runs++
			return inFlight
		}
		return once(1, "x", &runs)(ctx, tx)
	}))
	require.Equal(t, 4, runs)
	require.Equal(t, []string{"x"}, schema.names(t))
}

func TestWriteOnceRunsAgainWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()
	schema := shared(t)
	cluster := schema.cluster(t)
	runs := 0
	require.NoError(t, cluster.WriteOnce(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		if runs == 0 {
			schema.killConnection(ctx, t, tx)
		}
		return once(1, "x", &runs)(ctx, tx)
	}))
	require.Equal(t, 2, runs)
	require.Equal(t, []string{"x"}, schema.names(t))
}
