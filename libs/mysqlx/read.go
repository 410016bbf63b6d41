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

// A read may run more than once, if a server fails or is replaced meanwhile. So it must have no effect except on variables that it sets
// anew each time.

// ReadLatest runs read on the primary, where it sees every acknowledged write.
func (c *Cluster) ReadLatest(ctx context.Context, read func(context.Context, Reader) error) error {
	c.use(ctx)
	return c.readPrimary(ctx, latest, read)
}

// Poll is ReadLatest for what asks again and again whether there is something new. It does not end the cluster's rest, so for up to
// restInterval it may be answered by a primary that was replaced.
func (c *Cluster) Poll(ctx context.Context, read func(context.Context, Reader) error) error {
	return c.readPrimary(ctx, latest, read)
}

// Read runs read on a replica that has everything that the caller was told and has written (consistency.After) and that is at most MaxLag
// behind. If there is no such replica, it runs on the primary. It never waits for a replica. If there is no primary either, the
// fault is Unavailable, because a stale answer would be wrong.
//
// A token that is above every beat, such as consistency.Newest, is served by the primary only.
func (c *Cluster) Read(ctx context.Context, read func(context.Context, Reader) error) error {
	_, err := c.readNear(ctx, false, read)
	return err
}

// ReadThrough is Read for something that a replica may not have yet. If a replica does not find it (read returns sql.ErrNoRows or the
// fault NotFound), ReadThrough asks the primary. A caller that got an id from somebody else has no token for it, and must not
// hear that the thing does not exist.
func (c *Cluster) ReadThrough(ctx context.Context, read func(context.Context, Reader) error) error {
	by, err := c.readNear(ctx, false, read)
	if by == replica && (errors.Is(err, sql.ErrNoRows) || fault.Is(err, fault.NotFound)) {
		return c.readPrimary(ctx, missing, read)
	}
	return err
}

// readNear is Read, and returns which kind of server answered. slow is for ReadSlowly.
func (c *Cluster) readNear(ctx context.Context, slow bool, read func(context.Context, Reader) error) (role, error) {
	c.use(ctx)
	host, otherwise := c.freshReplica(consistency.After(ctx))
	if host == nil {
		return primary, c.readPrimary(ctx, otherwise, read)
	}
	c.metrics.read(replica, fresh)
	bounded, cancel := host.bounded(ctx, slow)
	defer cancel()
	err := read(bounded, Reader{db: host.db})
	if err == nil || ctx.Err() != nil || !connectionFailed(err) && !lacksSchema(err) && !isFull(err) {
		return replica, asFault(ctx, err)
	}
	if connectionFailed(err) && bounded.Err() == nil {
		// The server failed, and not only the read's patience. The next look finds out whether it is back.
		host.set(host.gone(err))
	}
	if leftOut, due := c.failedReads.due(time.Now()); due {
		c.log.WarnContext(ctx, "replica failed a read; the primary answers instead", "host", host.addr, "left_out", leftOut, "error", err)
	}
	return primary, c.readPrimary(ctx, failed, read)
}

// bounded bounds a read on a replica to replicaPatience; then the primary is asked. A slow read is ended only if the host is no replica any
// more by then, because it would take just as long on the primary.
func (h *host) bounded(ctx context.Context, slow bool) (context.Context, context.CancelFunc) {
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

// readPrimary runs read on the primary. It runs it again if another server was promoted meanwhile, because a server that hung and was
// replaced may still answer, with old data.
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

// freshReplica returns a replica that has applied everything up to after, or the reason why there is none. A caller with a token gets the
// same replica each time, as long as that replica is fresh enough. Other callers get all of them in turn.
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
			// A replica of an older epoch follows a primary that was replaced, and its beats are not those of the current primary.
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

// Reader reads from one server. It has the methods that sqlc's code needs, but refuses to execute statements.
type Reader struct {
	db *sql.DB
	// bounded makes the server end a statement with its context. By itself it does not notice that nobody waits any more.
	bounded bool
}

// ExecContext always fails, because a statement that writes belongs in Write.
func (r Reader) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errors.New("mysqlx: a Reader only reads; use Write")
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
