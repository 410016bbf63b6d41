package dbpair

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// Failover makes the replica the primary. It can be repeated: if it was interrupted, the next one completes it.
//
// If the primary answers, it becomes read-only, the replica catches up, and the two exchange roles. Nothing is lost. If the primary is busy
// and cannot become read-only in time, nothing changes. If it cannot because it commits nothing, as with a full disk, it is replaced as
// one that does not answer, provided that the replica has received all that was acknowledged. If the primary does
// not answer, it is killed wherever it may still run, because a server that hangs may wake up and acknowledge writes. Then the replica
// applies everything that it received and is promoted. A replica that stopped receiving because of an error lacks later writes, so
// Failover refuses to promote it.
//
// The new primary gets a higher epoch than any before, and gets it before anybody may write there. By the epoch, clients recognize
// an old primary that comes back.
func (p *Pair) Failover(ctx context.Context) error { return p.failover(ctx, false) }

// ForceFailover is Failover for a replica that Failover refuses. It also promotes a replica that stopped receiving because of an error, and
// one that may lack what a primary that commits nothing acknowledged. If the replica holds newer data than the primary, it kills the primary.
func (p *Pair) ForceFailover(ctx context.Context) error { return p.failover(ctx, true) }

func (p *Pair) failover(ctx context.Context, force bool) error {
	alone, err := p.replacePrimary(ctx, p.look(ctx), force)
	if err != nil {
		return fmt.Errorf("failover: %w", err)
	}
	if alone {
		p.say("%s is the primary. When %s can run again, `make rejoin` makes it the replica", p.Primary, p.Replica)
		return nil
	}
	if err := p.attach(ctx, false); err != nil {
		return fmt.Errorf("failover: %s is the primary now, but %s does not follow it; rejoin: %w", p.Primary, p.Replica, err)
	}
	return nil
}

// replacePrimary leaves the new primary and the old one in the fields of their roles. alone says that the old one is out of reach.
func (p *Pair) replacePrimary(ctx context.Context, views [2]view, force bool) (alone bool, err error) {
	if promoted, other, err := tellPrimary(views); err == nil && promoted.status.Configured {
		// A failover was interrupted before its last step.
		p.Primary, p.Replica = promoted.server, other.server
		return other.err != nil, p.stopFollowing(ctx)
	}
	old, next, err := choose(views)
	if err != nil {
		return false, err
	}
	p.Primary, p.Replica = old.server, next.server
	epoch := max(old.epoch, next.epoch) + 1
	switch {
	case next.newerThan(old) && !force:
		return false, fmt.Errorf("%s holds newer data than %s, so %s cannot hand over. If its data was lost, FORCE=1 kills it and promotes %s",
			next.server, old.server, old.server, next.server)
	case next.newerThan(old):
		p.say("%s holds newer data than %s", next.server, old.server)
		return true, p.takeOver(ctx, next, epoch, force)
	case old.err != nil:
		p.say("%s does not answer (%v)", old.server, old.err)
		if saysDiskFull(old.err) {
			if err := p.refuseLoss(ctx, force); err != nil {
				return false, err
			}
		}
		return true, p.takeOver(ctx, next, epoch, force)
	case next.epoch > old.epoch:
		return false, p.complete(ctx, epoch)
	default:
		return p.changeOver(ctx, old, next, epoch, force)
	}
}

// saysDiskFull recognizes the errors with which a server answers what it has no disk space for, such as a question that needs a temporary
// table.
func saysDiskFull(err error) bool {
	const diskFull, tableFull = 1021, 1114
	said, is := errors.AsType[*mysql.MySQLError](err)
	return is && (said.Number == diskFull || said.Number == tableFull)
}

// choose decides which server is replaced (old) and which one takes over (next).
func choose(views [2]view) (old, next view, err error) {
	first, second := views[0], views[1]
	// From here on first is the server that answers and takes writes, if there is one.
	if second.writable() && !first.writable() || first.err != nil && second.err == nil && !second.writable() {
		first, second = second, first
	}
	switch {
	case first.err != nil:
		return old, next, fmt.Errorf("neither server answers: %w", errors.Join(first.err, second.err))
	case first.writable() && second.writable():
		return old, next, fmt.Errorf("both servers take writes (epoch of %s: %d, of %s: %d); a rejoin makes the one of the lower "+
			"epoch a replica", first.server, first.epoch, second.server, second.epoch)
	case first.writable() && second.err != nil:
		return old, next, fmt.Errorf("there is no server to promote: %s is the primary and %s does not answer; rejoin it: %w",
			first.server, second.server, second.err)
	case first.writable():
		old, next = first, second
	case second.err != nil: // the replica alone answers
		old, next = second, first
	case first.status.Configured == second.status.Configured:
		return old, next, errors.New("both servers are read-only, and it cannot be told which of them followed the other; " +
			"deploy/RECOVERY.md says how to choose")
	case first.status.Configured: // a failover was interrupted after the primary had become read-only
		old, next = second, first
	default:
		old, next = first, second
	}
	if !next.status.Configured {
		return old, next, fmt.Errorf("there is no server to promote: %s follows nobody, so it may lack transactions; rejoin it",
			next.server)
	}
	return old, next, nil
}
