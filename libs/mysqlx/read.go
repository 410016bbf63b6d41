package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"time"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

// Each read may run twice, when a server fails or is replaced meanwhile. It must therefore have no effect but on
// variables that it sets anew each time.

// ReadLatest runs read on the primary, so that it sees every acknowledged write.
func (c *Cluster) ReadLatest(ctx context.Context, read func(context.Context, Reader) error) error {
	return c.readPrimary(ctx, latest, read)
}

// Read runs read on a replica that has everything the caller was told and has written (consistency.After), and that is
// at most MaxLag behind; on the primary where there is none. It never waits for a replica. Without a primary and such a
// replica the fault is Unavailable: a stale answer is none.
//
// A token from the future, which no primary issued or which says consistency.Newest, is above every beat: the primary
// alone serves it.
func (c *Cluster) Read(ctx context.Context, read func(context.Context, Reader) error) error {
	_, err := c.readNear(ctx, false, read)
	return err
}

// ReadThrough is Read for something that may be missing: when a replica does not find it (the read returns
// sql.ErrNoRows or the fault NotFound), the primary is asked before that is believed. Who was given an id by somebody
// else has no token for it, and should not be told that there is no such thing.
func (c *Cluster) ReadThrough(ctx context.Context, read func(context.Context, Reader) error) error {
	by, err := c.readNear(ctx, false, read)
	if by == replica && (errors.Is(err, sql.ErrNoRows) || fault.Is(err, fault.NotFound)) {
		return c.readPrimary(ctx, missing, read)
	}
	return err
}

// readNear is Read, and tells which kind of server answered.
func (c *Cluster) readNear(ctx context.Context, slow bool, read func(context.Context, Reader) error) (role, error) {
	host, otherwise := c.freshReplica(consistency.After(ctx))
	if host == nil {
		return primary, c.readPrimary(ctx, otherwise, read)
	}
	c.metrics.read(replica, fresh)
	attempt, cancel := host.attempt(ctx, slow)
	defer cancel()
	err := read(attempt, Reader{db: host.db})
	if err == nil || ctx.Err() != nil || !connectionFailed(err) {
		return replica, asFault(ctx, err)
	}
	if attempt.Err() == nil {
		// A read that takes long says nothing about the server; the next look does.
		host.set(state{role: unreachable, err: err})
	}
	c.log.WarnContext(ctx, "replica failed a read; the primary answers instead", "host", host.addr, "error", err)
	return primary, c.readPrimary(ctx, failed, read)
}

// attempt bounds a read on a replica: by patience, after which the primary is asked; a slow read only where the replica is
// none any more by then, since on the primary it would take as long again.
func (h *host) attempt(ctx context.Context, slow bool) (context.Context, context.CancelFunc) {
	if !slow {
		return context.WithTimeout(ctx, replicaPatience)
	}
	ctx, cancel := context.WithCancel(ctx)
	lookAgain := time.AfterFunc(replicaPatience, func() {
		if h.current().role != replica {
			cancel()
		}
	})
	return ctx, func() {
		lookAgain.Stop()
		cancel()
	}
}

// readPrimary runs read on the primary, and once more when another server was promoted meanwhile: a server that hung
// and was replaced may answer in the end, from the past.
func (c *Cluster) readPrimary(ctx context.Context, why reason, read func(context.Context, Reader) error) error {
	for attempt := 1; ; attempt++ {
		epoch := c.epoch.Load()
		host, err := c.primary()
		if err != nil {
			return fault.NewUnavailable(err)
		}
		c.metrics.read(primary, why)
		err = read(ctx, Reader{db: host.db})
		if c.epoch.Load() == epoch {
			return asFault(ctx, err)
		}
		if attempt == maxAttempts || ctx.Err() != nil {
			return fault.NewUnavailable(errors.Join(err, errReplaced))
		}
	}
}

// freshReplica returns a replica that has applied everything up to after, or why there is none. A caller with a token
// meets the same replica each time, as long as that one will do; other callers meet all in turn.
func (c *Cluster) freshReplica(after consistency.Token) (found *host, otherwise reason) {
	first := c.turn.Add(1)
	if after != 0 {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(after.String()))
		first = hash.Sum64()
	}
	otherwise = noReplica
	for i := range uint64(len(c.hosts)) {
		host := c.hosts[(first%uint64(len(c.hosts))+i)%uint64(len(c.hosts))]
		current := host.current()
		switch {
		case current.role != replica:
		case current.epoch < c.epoch.Load(), current.lag > MaxLag:
			// Of an older epoch is also who follows a primary that was replaced: its beats are not those of this one.
			if otherwise == noReplica {
				otherwise = lagging
			}
		case after != 0 && current.applied <= uint64(after):
			otherwise = behind
		default:
			return host, fresh
		}
	}
	return nil, otherwise
}

// Reader reads from one server. It satisfies the interface that sqlc generates, but executes nothing.
type Reader struct {
	db *sql.DB
	// bounded has the server end a statement with its context: it does not notice that nobody waits any more.
	bounded bool
}

// ExecContext refuses: a statement that writes belongs into Write.
func (r Reader) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errors.New("mysqlx: a Reader executes no statements")
}

// PrepareContext is sql.DB's.
func (r Reader) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return r.db.PrepareContext(ctx, query)
}

// QueryContext is sql.DB's.
func (r Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(ctx, r.statement(ctx, query), args...)
}

// QueryRowContext is sql.DB's.
func (r Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, r.statement(ctx, query), args...)
}
