package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/fault"
)

const maxAttempts = 3

// Writer is a transaction on the primary. It satisfies the interface that sqlc generates.
type Writer struct{ *sql.Tx }

// Write runs work in a transaction on the primary and commits it. On a deadlock, a lock wait time-out or a snapshot
// conflict the whole of work runs again, at most three times; work must therefore have no effect but through its Writer
// and on variables that it sets anew each time.
//
// Faults: whatever work returned; Unavailable where nothing was written; OutcomeUnknown where the connection was lost
// during COMMIT, when the transaction may or may not have been written.
func (c *Cluster) Write(ctx context.Context, work func(context.Context, Writer) error) error {
	for attempt := 1; ; attempt++ {
		err := c.writeOnce(ctx, work)
		if !isConflict(err) || attempt == maxAttempts {
			return asFault(ctx, err)
		}
		c.log.InfoContext(ctx, "transaction runs again after a conflict", "attempt", attempt, "error", err)
		if err := pause(ctx, time.Duration(attempt)*10*time.Millisecond); err != nil {
			return asFault(ctx, err)
		}
	}
}

func (c *Cluster) writeOnce(ctx context.Context, work func(context.Context, Writer) error) (err error) {
	host, err := c.primary()
	if err != nil {
		return fault.NewUnavailable(err)
	}
	tx, err := host.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committing := false
	defer func() {
		if !committing {
			// Also after a panic. The error that led here counts, not that of the rollback.
			_ = tx.Rollback()
		}
	}()
	if err := work(ctx, Writer{tx}); err != nil {
		return err
	}
	committing = true
	return commit(tx)
}

func commit(tx *sql.Tx) error {
	err := tx.Commit()
	if err == nil {
		return nil
	}
	if _, refused := errors.AsType[*mysql.MySQLError](err); refused ||
		errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// The server said no, or database/sql never sent the COMMIT.
		return fmt.Errorf("commit: %w", err)
	}
	return fault.New(fault.OutcomeUnknown,
		"It is not known whether the change was made. Look before you repeat it.", fmt.Errorf("commit: %w", err))
}

// pause waits about the given time, so that two transactions in each other's way do not meet again.
func pause(ctx context.Context, about time.Duration) error {
	timer := time.NewTimer(about/2 + rand.N(about)) //nolint:gosec // a pause needs no secret randomness
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
