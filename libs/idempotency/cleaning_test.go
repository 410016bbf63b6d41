package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
)

func TestCleaningTakesTheOldestSoManyAtATimeAndBlocksNobody(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for i := range 10 {
		_, err := schema.db.ExecContext(t.Context(),
			"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) VALUES (?, ?, '', '', ?)",
			i, fmt.Sprintf("%032d", i), now.Add(time.Duration(i-24)*time.Hour))
		require.NoError(t, err)
	}
	clean := func(most int) (deleted int) {
		require.NoError(t, schema.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) (err error) {
			deleted, err = idempotency.DeleteOldest(ctx, tx, now.Add(-17*time.Hour), most)
			require.NoError(t, err)
			// It has deleted, and not committed; a request now is neither behind it nor before it.
			_, _, err = schema.do(ctx, request(100, fmt.Sprint(most), "body"), nil)
			return err
		}))
		return deleted
	}
	require.Equal(t, 5, clean(5))
	require.Equal(t, 2, clean(6))
	require.Zero(t, clean(7))
	var left int
	require.NoError(t, schema.db.QueryRowContext(t.Context(), "SELECT MIN(caller_id) FROM idempotency_keys WHERE caller_id < 100").Scan(&left))
	require.Equal(t, 7, left)
}

func TestTwoWhoCleanAtOnceDoNotStandInTheWayOfNewRequests(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for i := range 10 {
		_, err := schema.db.ExecContext(t.Context(),
			"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) VALUES (0, ?, '', '', ?)",
			fmt.Sprintf("%032d", i), now.Add(-48*time.Hour))
		require.NoError(t, err)
	}
	require.NoError(t, schema.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		var count int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM idempotency_keys").Scan(&count); err != nil {
			return err // the transaction has its view now, and the other one comes first
		}
		require.NoError(t, schema.Write(ctx, func(ctx context.Context, first mysqlx.Writer) error {
			deleted, err := idempotency.DeleteOldest(ctx, first, now, 10)
			require.Equal(t, 10, deleted)
			return err
		}))
		deleted, err := idempotency.DeleteOldest(ctx, tx, now, 10)
		if refused, ok := errors.AsType[*mysql.MySQLError](err); ok {
			require.EqualValues(t, 1020, refused.Number)
		} else {
			require.NoError(t, err)
		}
		require.Zero(t, deleted)
		for i := range 5 {
			_, _, err := schema.do(ctx, request(0, fmt.Sprint(i), "body"), nil)
			require.NoError(t, err, "nobody's key is called busy")
		}
		return nil
	}))
}

func TestACleanerDeletesAllKeysThatAreOlderThanADayInSmallTransactions(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for i := range 30 {
		_, err := schema.db.ExecContext(t.Context(),
			"INSERT INTO idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) VALUES (0, ?, '', '', ?)",
			fmt.Sprintf("%032d", i), now.Add(-time.Duration(i)*time.Hour))
		require.NoError(t, err)
	}
	cleaner := idempotency.NewCleaner(schema, slog.New(slog.DiscardHandler), func() time.Time { return now })
	for range 2 {
		require.NoError(t, cleaner.Clean(t.Context(), 2))
		require.Equal(t, 25, schema.count(t, "idempotency_keys"), "one is just a day old")
	}
}

// failing is a database whose first transactions fail.
type failing struct {
	idempotency.Database
	left  int
	tries chan struct{}
}

func (f *failing) Write(context.Context, func(context.Context, mysqlx.Writer) error) error {
	f.tries <- struct{}{}
	if f.left--; f.left >= 0 {
		return errors.New("the database is away")
	}
	return nil
}

func TestACleanerGoesOnEveryMinuteWhateverFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := &failing{left: 2, tries: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		began := time.Now()
		go func() { ended <- idempotency.NewCleaner(db, slog.New(slog.DiscardHandler), time.Now).Run(ctx) }()
		for minute := range 4 {
			<-db.tries
			require.Equal(t, time.Duration(minute+1)*time.Minute, time.Since(began))
		}
		stop()
		require.NoError(t, <-ended)
	})
}
