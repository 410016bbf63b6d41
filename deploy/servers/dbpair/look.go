package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// lookTimeout is how long a server may take to describe itself once the other one has. A server that takes longer counts as
	// one that does not answer.
	lookTimeout = 3 * time.Second
	// lookLimit is how long both may take. Where neither answers there is nothing to do but to wait, and a busy machine is slow.
	lookLimit = 20 * time.Second
	// muchNewer is more than a replica's heartbeat can be ahead of its primary's, even if the replica was asked later.
	muchNewer = 5 * time.Second
)

// view is how a server describes itself.
type view struct {
	server   *Server
	err      error // why it could not be asked
	readOnly bool
	status   ReplicaStatus
	// epoch and beat are the highest of its schemas' heartbeats.
	epoch, beat uint64
}

func (v view) writable() bool { return v.err == nil && !v.readOnly }

// idle is how long ago the newest heartbeat was committed, or 0 if there never was one.
func (v view) idle() time.Duration {
	if v.beat == 0 {
		return 0
	}
	return time.Since(time.UnixMicro(int64(v.beat))) // #nosec G115 -- a time
}

// newerThan reports whether the server holds much newer heartbeats than the other, without a promotion that explains it. That happens
// only if the other has lost its data or was given older data.
func (v view) newerThan(other view) bool {
	return v.err == nil && other.err == nil && v.epoch >= other.epoch && v.beat > other.beat+uint64(muchNewer.Microseconds())
}

// look asks both servers at the same time. The first view is the primary's, as far as is known until now.
func (p *Pair) look(ctx context.Context) [2]view {
	views := [2]view{{server: p.Primary}, {server: p.Replica}}
	ctx, cancel := context.WithTimeoutCause(ctx, lookLimit, fmt.Errorf("no answer within %s", lookLimit))
	defer cancel()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	var asked sync.WaitGroup
	for i := range views {
		asked.Go(func() {
			if views[i].err = views[i].ask(ctx); views[i].err == nil {
				time.AfterFunc(lookTimeout, func() { leave(fmt.Errorf("no answer within %s after the other server's", lookTimeout)) })
			} else if ctx.Err() != nil {
				views[i].err = fmt.Errorf("%s: %w", views[i].server, context.Cause(ctx))
			}
		})
	}
	asked.Wait()
	return views
}

func (v *view) ask(ctx context.Context) error {
	return v.server.asRoot(func(db *sql.DB) error {
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.read_only").Scan(&v.readOnly); err != nil {
			return err
		}
		var err error
		if v.status, err = ReadReplicaStatus(ctx, db); err != nil {
			return err
		}
		if v.epoch, err = HighestEpoch(ctx, db); err != nil {
			return err
		}
		v.beat, err = highest(ctx, db, "beat")
		return err
	})
}

// tellPrimary decides which server is the primary: the one that takes writes and has the highest epoch.
func tellPrimary(views [2]view) (primary, other view, err error) {
	first, second := views[0], views[1]
	if second.writable() && (!first.writable() || second.epoch > first.epoch) {
		first, second = second, first
	}
	switch {
	case first.err != nil && second.err != nil:
		return primary, other, fmt.Errorf("neither server answers: %w", errors.Join(first.err, second.err))
	case !first.writable():
		return primary, other, fmt.Errorf("there is no primary to follow; a failover makes one: %w",
			errors.Join(errors.New("no server takes writes"), first.err, second.err))
	case second.writable() && first.epoch == second.epoch:
		return primary, other, fmt.Errorf("both servers take writes with epoch %d; deploy/RECOVERY.md says how to choose", first.epoch)
	case second.err == nil && second.epoch > first.epoch:
		return primary, other, fmt.Errorf("%s takes writes, but %s has the higher epoch: a failover was interrupted: `make failover`",
			first.server, second.server)
	}
	return first, second, nil
}

// Orient asks the servers for their roles and puts them into the fields Primary and Replica. It fails if the servers do not show it: a
// server that does not answer may be the primary. If both answer and none takes writes, as after an interrupted failover, the one that
// follows the other is the replica.
func (p *Pair) Orient(ctx context.Context) error {
	views := p.look(ctx)
	primary, other, err := tellPrimary(views)
	if err != nil {
		primary, other = views[0], views[1]
		if primary.status.Configured {
			primary, other = other, primary
		}
		known := primary.err == nil && other.err == nil && !primary.writable() && !other.writable() &&
			!primary.status.Configured && other.status.Configured
		if !known {
			return fmt.Errorf("which server is the primary: %w", err)
		}
	}
	p.Primary, p.Replica = primary.server, other.server
	return nil
}

// requireSound fails if the primary is read-only, which only an interrupted command leaves behind. It also fails if the primary's data
// is older than the replica's: a shop that goes on with an empty primary has lost everything.
func (p *Pair) requireSound(ctx context.Context) error {
	views := p.look(ctx)
	primary, other := views[0], views[1]
	switch {
	case primary.err != nil:
		return primary.err
	case other.newerThan(primary):
		return p.errNewerReplica()
	case primary.readOnly:
		return fmt.Errorf("%s takes no writes: a failover was interrupted: `make failover`", p.Primary)
	}
	return nil
}

func (p *Pair) errNewerReplica() error {
	return fmt.Errorf("%s is the primary, but %s holds newer data. If the data of %s was lost, `make failover FORCE=1` makes %s the "+
		"primary. If it is as it should be, empty the folder or volume of %s", p.Primary, p.Replica, p.Primary, p.Replica, p.Replica)
}
