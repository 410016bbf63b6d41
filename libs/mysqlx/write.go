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
	"oms.internal/libs/pace"
)

const (
	maxAttempts = 3
	// outcomePause is about how long WriteOnce waits before it tries again, while a server is replaced or restarts.
	outcomePause = 50 * time.Millisecond
)

// Writer is a transaction on the primary. It has the methods that sqlc's code needs.
type Writer struct{ *sql.Tx }

// Write runs work in a transaction on the primary and commits it. On a deadlock, a lock wait time-out or a snapshot conflict it runs the
// whole of work again, three times in all at most. So work must have no effect except through its Writer and on variables that it
// sets anew each time. Write puts a token into the context (consistency.Wrote): of what was written, or, if work ends with a fault, of
// what was read, because a refusal also tells how the rows are.
//
// Faults: what work returned; Unavailable if nothing was written; OutcomeUnknown if the connection was lost during COMMIT, or the server was
// replaced meanwhile. Then the transaction may or may not have been written.
func (c *Cluster) Write(ctx context.Context, work func(context.Context, Writer) error) error {
	for attempt := 1; ; attempt++ {
		err := c.transact(ctx, work)
		if !mayRepeat(err) || attempt == maxAttempts {
			return asFault(ctx, err)
		}
		if leftOut, due := c.conflicts.due(time.Now()); due {
			c.log.InfoContext(ctx, "transaction runs again after a conflict", "attempt", attempt, "left_out", leftOut, "error", err)
		}
		if err := pause(ctx, time.Duration(attempt)*10*time.Millisecond); err != nil {
			return asFault(ctx, err)
		}
	}
}

// WriteOnce is Write for work that finds out by itself whether it was done before, and then does nothing. So after an unknown outcome, or
// if the server is lost or replaced, WriteOnce runs work again until ctx ends, on the server that is the primary by then. If there is
// no primary when it is called, the fault is Unavailable at once, because the caller can repeat the request just as well.
//
// Faults: as for Write, but OutcomeUnknown only if ctx ended, or another error came, before the outcome of a COMMIT was known.
func (c *Cluster) WriteOnce(ctx context.Context, work func(context.Context, Writer) error) error {
	c.use(ctx)
	if _, err := c.writable(); err != nil {
		return fault.NewUnavailable(err)
	}
	var unknown error
	for attempt := 1; ; attempt++ {
		err := c.transact(ctx, work)
		switch {
		case fault.Is(err, fault.OutcomeUnknown):
			unknown = err
		case unknown != nil && isConflict(err), lost(err):
			// The transaction with the unknown outcome may still hold the rows that would show its outcome.
		case mayRepeat(err) && attempt < maxAttempts:
		case unknown != nil && !decided(err):
			return unknown // this error says nothing about the earlier transaction
		default:
			return asFault(ctx, err)
		}
		if leftOut, due := c.repeated.due(time.Now()); due {
			c.log.InfoContext(ctx, "transaction runs again, because its outcome is unknown or its server was lost",
				"left_out", leftOut, "error", err)
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
	c.use(ctx)
	epoch := c.epoch.Load()
	host, err := c.writable()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoPrimary, err)
	}
	defer func() { c.noteFull(host, err) }()
	tx, err := host.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committing := false
	defer func() {
		if !committing {
			// This also runs after a panic. The error that led here is returned, and not that of the rollback.
			_ = tx.Rollback()
		}
	}()
	if err := work(ctx, Writer{tx}); err != nil {
		return c.refused(ctx, host, epoch, err)
	}
	// The transaction's own context ends a moment after ctx, so COMMIT might still be sent.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("before commit: %w", err)
	}
	committing = true
	err = commit(tx)
	if err == nil && c.epoch.Load() != epoch {
		// A server that hung and was replaced may go on, and acknowledge what the new primary never received.
		err = fault.NewOutcomeUnknown(errReplaced)
	}
	switch {
	case err == nil:
		c.acknowledged(ctx, host.bound())
	case fault.Is(err, fault.OutcomeUnknown):
		// The server may still be committing.
		c.acknowledged(ctx, host.bound()+consistency.Token(ioTimeout.Microseconds()))
	}
	return err
}

// refused handles the error with which work ended a transaction. A fault tells the caller how the rows are that were read. The caller must
// not see older rows afterwards, so it gets a token as for a write. A server that was replaced meanwhile may not know how
// the rows are, so then the transaction failed.
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

// acknowledged notes the token of a write for its caller and for the next beat.
func (c *Cluster) acknowledged(ctx context.Context, token consistency.Token) {
	raise(&c.wrote, uint64(token))
	select {
	case c.written <- struct{}{}:
	default:
	}
	consistency.Wrote(ctx, token)
}

// Written receives a value when this process has written since the last one was received, or may have. It has room for one receiver.
func (c *Cluster) Written() <-chan struct{} { return c.written }

func commit(tx *sql.Tx) error { return outcome(tx.Commit()) }

// outcome turns the error of a COMMIT into OutcomeUnknown, unless nothing can have been written.
func outcome(err error) error {
	if err == nil {
		return nil
	}
	_, answered := errors.AsType[*mysql.MySQLError](err)
	// These errors end a COMMIT from outside, or while its changes are written to the disk. They may be in the binary log by then.
	refused := answered && !isFull(err) && !hasNumber(err, serverShutdown, queryInterrupted, connectionKilled, errorDuringCommit)
	if refused || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		// The server refused the COMMIT, or database/sql never sent it.
		return fmt.Errorf("commit: %w", err)
	}
	return fault.NewOutcomeUnknown(fmt.Errorf("commit: %w", err))
}

// pause waits for about the given time. The time is random, so that two transactions that were in each other's way do not meet again.
func pause(ctx context.Context, about time.Duration) error {
	return pace.Wait(ctx, about/2+rand.N(about)) //nolint:gosec // a pause needs no secret randomness
}
