package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

const (
	maxAttempts = 3
	// outcomePause is how long WriteOnce waits about between attempts, while a server is replaced or starts again.
	outcomePause = 50 * time.Millisecond
)

// Writer is a transaction on the primary. It satisfies the interface that sqlc generates.
type Writer struct{ *sql.Tx }

// Write runs work in a transaction on the primary and commits it. On a deadlock, a lock wait time-out or a snapshot
// conflict the whole of work runs again, at most three times; work must therefore have no effect but through its Writer
// and on variables that it sets anew each time. The context is told the token of what was written (consistency.Wrote), or of
// what was read where work ends with a fault: a refusal tells how the rows are, too.
//
// Faults: whatever work returned; Unavailable where nothing was written; OutcomeUnknown where the connection was lost
// or ended during COMMIT, or the server was replaced, when the transaction may or may not have been written.
func (c *Cluster) Write(ctx context.Context, work func(context.Context, Writer) error) error {
	for attempt := 1; ; attempt++ {
		err := c.transact(ctx, work)
		if !mayRepeat(err) || attempt == maxAttempts {
			return asFault(ctx, err)
		}
		c.log.InfoContext(ctx, "transaction runs again after a conflict", "attempt", attempt, "error", err)
		if err := pause(ctx, time.Duration(attempt)*10*time.Millisecond); err != nil {
			return asFault(ctx, err)
		}
	}
}

// WriteOnce is Write for work that finds out by itself whether it was done before (idempotency.Once), and
// is then content. So an unknown outcome is no answer but a reason to run it again, on whichever server is the primary by
// then, until ctx ends; and so is a server that is lost or replaced under it. Where there is no primary to begin with,
// the fault is Unavailable at once: the caller may repeat the request as well as we.
//
// Faults: as Write's. OutcomeUnknown only where ctx ended, or an error came, before the outcome of a COMMIT was found out.
func (c *Cluster) WriteOnce(ctx context.Context, work func(context.Context, Writer) error) error {
	if _, err := c.primary(); err != nil {
		return fault.NewUnavailable(err)
	}
	var unknown error
	for attempt := 1; ; attempt++ {
		err := c.transact(ctx, work)
		switch {
		case fault.Is(err, fault.OutcomeUnknown):
			unknown = err
		case unknown != nil && isConflict(err), lost(err):
			// The transaction whose outcome is unknown may still hold the rows that it is looked up by.
		case mayRepeat(err) && attempt < maxAttempts:
		case unknown != nil && !decided(err):
			return unknown // an error that says nothing about the transaction before
		default:
			return asFault(ctx, err)
		}
		if attempt == 1 {
			c.log.InfoContext(ctx, "transaction runs again until its outcome is known", "error", err)
		}
		if pause(ctx, outcomePause) != nil {
			if unknown != nil {
				return unknown
			}
			return asFault(ctx, err)
		}
	}
}

// transact runs work in one transaction.
func (c *Cluster) transact(ctx context.Context, work func(context.Context, Writer) error) (err error) {
	epoch := c.epoch.Load()
	host, err := c.primary()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoPrimary, err)
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
		return c.refused(ctx, host, epoch, err)
	}
	committing = true
	err = commit(tx)
	if err == nil && c.epoch.Load() != epoch {
		// A server that hung, was replaced and goes on acknowledges what the new primary never heard of.
		err = fault.NewOutcomeUnknown(errReplaced)
	}
	switch {
	case err == nil:
		c.acknowledged(ctx, host.bound())
	case fault.Is(err, fault.OutcomeUnknown):
		// The server may still be at it.
		c.acknowledged(ctx, host.bound()+consistency.Token(ioTimeout.Microseconds()))
	}
	return err
}

// refused is what a transaction returns that its work ended with an error. A fault tells the caller how the rows are that
// were read, so the caller must not see older ones afterwards: it gets a token as for a write. A server that was replaced
// meanwhile may not know how the rows are.
func (c *Cluster) refused(ctx context.Context, host *host, epoch uint64, err error) error {
	if !decided(err) {
		return err
	}
	if c.epoch.Load() != epoch {
		return fmt.Errorf("%w: %w", errNoPrimary, errReplaced)
	}
	c.acknowledged(ctx, host.bound())
	return err
}

// acknowledged notes the token of a write, for its caller and for the next beat.
func (c *Cluster) acknowledged(ctx context.Context, token consistency.Token) {
	raise(&c.wrote, uint64(token))
	consistency.Wrote(ctx, token)
}

func commit(tx *sql.Tx) error {
	err := tx.Commit()
	if err == nil {
		return nil
	}
	_, answered := errors.AsType[*mysql.MySQLError](err)
	// What ends a COMMIT from outside may do so while it waits for the replica, when it is in the binary log already.
	refused := answered && !hasNumber(err, serverShutdown, queryInterrupted, connectionKilled, errorDuringCommit)
	if refused || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// The server said no, or database/sql never sent the COMMIT.
		return fmt.Errorf("commit: %w", err)
	}
	return fault.NewOutcomeUnknown(fmt.Errorf("commit: %w", err))
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
