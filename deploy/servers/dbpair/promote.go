package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oms.internal/servers/proc"
)

const (
	// catchUpPatience is how long the replica may take to apply what it lacks while nobody can write.
	catchUpPatience = 30 * time.Second
	// handover is the least time in which nobody can write during a failover that the primary takes part in. Clients look at the roles
	// of the servers ten times a second. A client that notices in this time that the old primary is none reads nothing old from
	// it. A client whose looks get no answer believes in the old primary for longer (2 s in libs/mysqlx), and learns from the
	// new primary's higher epoch. So a second is enough, and all writes wait for it.
	handover = time.Second
	// receivePatience is how long the replica may take to receive the rest before it counts as lacking it.
	receivePatience = 3 * time.Second
	// oldBeat is the age of a server's newest heartbeat from which on nothing seems to be committed there, and how long a newer one is waited
	// for then. Heartbeats come every second.
	oldBeat = 5 * time.Second
)

// changeOver is a failover that the primary takes part in. Nothing is final until the replica has everything. alone says that the primary
// could not take part after all, and was killed.
func (p *Pair) changeOver(ctx context.Context, old, next view, epoch uint64, force bool) (alone bool, err error) {
	idle := p.confirmIdle(ctx, old)
	p.say("%s becomes read-only", p.Primary)
	if err := p.engine.setReadOnly(ctx, p.Primary, true); err != nil {
		if err := p.refuseKill(ctx, err, idle, next, force); err != nil {
			return false, errors.Join(err, p.giveUp(ctx))
		}
		return true, p.takeOver(ctx, next, epoch, force)
	}
	return false, p.exchange(ctx, epoch)
}

// confirmIdle returns how long ago the primary's newest heartbeat was committed. An old one alone does not show that nothing can be committed
// there: after a failover that was refused, the change to read-only had kept all commits waiting until a moment ago. So if the
// heartbeat is old, confirmIdle waits for a newer one.
func (p *Pair) confirmIdle(ctx context.Context, old view) time.Duration {
	if old.idle() <= oldBeat {
		return old.idle()
	}
	p.say("%s has committed nothing for %v; waiting up to %v for a heartbeat", p.Primary, old.idle().Round(time.Second), oldBeat)
	ctx, cancel := context.WithTimeout(ctx, oldBeat)
	defer cancel()
	now := old
	// An error says that no newer heartbeat came, which the age shows, too.
	_ = p.Primary.asRoot(func(db *sql.DB) error {
		return proc.Poll(ctx, func() error {
			beat, err := highest(ctx, db, "beat")
			if err == nil && beat <= old.beat {
				err = errors.New("no newer heartbeat")
			}
			if err == nil {
				now.beat = beat
			}
			return err
		})
	})
	return now.idle()
}

// refuseKill says why a primary that answers and does not become read-only is not killed. nil means that it is to be: nothing can be
// written to it, as with a full disk, where commits wait for space and the change waits for them.
func (p *Pair) refuseKill(ctx context.Context, cause error, idle time.Duration, next view, force bool) error {
	if ctx.Err() != nil || idle <= oldBeat {
		return fmt.Errorf("%s cannot become read-only; SHOW PROCESSLIST shows there what holds a lock: %w", p.Primary, cause)
	}
	stuck := fmt.Sprintf("%s has committed nothing for %v, as with a full disk, and cannot become read-only", p.Primary, idle.Round(time.Second))
	if err := errors.Join(p.refuseTakeOver(next, force), p.refuseLoss(ctx, force)); err != nil {
		return fmt.Errorf("%s: %w: %w", stuck, cause, err)
	}
	p.say("%s: %v", stuck, cause)
	return nil
}

// refuseLoss says why a primary that answers and is of no use is not killed: the replica may lack what was acknowledged. It does not if it
// has received all that was committed, and what is committed from now on waits for it. That the primary waits is not
// enough: a server that has just started does so, too, whatever the replica lacks.
func (p *Pair) refuseLoss(ctx context.Context, force bool) error {
	if force {
		return nil
	}
	waits, err := p.Primary.status(ctx, p.engine.words().semiSyncStatus)
	switch {
	case err != nil:
	case waits != "ON":
		err = fmt.Errorf("%s does not wait for %s", p.Primary, p.Replica)
	default:
		err = p.awaitReceived(ctx)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w, so what %s acknowledged lately may be on it alone; make space on its disk and repeat this (FORCE=1 gives that up and "+
		"kills it)", err, p.Primary)
}

// awaitReceived waits until the replica has received everything that the primary has committed. It looks once at least, however long
// that takes.
func (p *Pair) awaitReceived(ctx context.Context) error {
	patience := time.After(receivePatience)
	return p.Replica.asRoot(func(replica *sql.DB) error {
		return p.Primary.asRoot(func(primary *sql.DB) error {
			for {
				all, err := p.engine.received(ctx, replica, primary)
				if err != nil || all {
					return err
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-patience:
					return fmt.Errorf("%s has not received all from %s", p.Replica, p.Primary)
				case <-time.After(proc.PollInterval):
				}
			}
		})
	})
}

// exchange is changeOver once the primary is read-only.
func (p *Pair) exchange(ctx context.Context, epoch uint64) error {
	noticed := time.NewTimer(handover)
	defer noticed.Stop()
	p.say("%s applies what it lacks", p.Replica)
	catching, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	err := p.follow(catching)
	if err == nil {
		err = p.engine.caughtUp(catching, p)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s does not catch up: %w", p.Replica, err), p.giveUp(ctx))
	}
	select {
	case <-noticed.C:
		return p.promote(ctx, epoch)
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.giveUp(ctx))
	}
}

// giveUp makes the primary writable again, even if ctx has ended.
func (p *Pair) giveUp(ctx context.Context) error {
	p.say("%s stays the primary", p.Primary)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), catchUpPatience)
	defer cancel()
	return p.engine.setReadOnly(ctx, p.Primary, false)
}

// complete ends a promotion that was interrupted. The replica's higher epoch shows that it had everything that it was to get. What
// the old primary may hold beyond that was given up then, and cannot be fetched any more.
func (p *Pair) complete(ctx context.Context, epoch uint64) error {
	p.say("the promotion of %s was interrupted, and is completed now", p.Replica)
	if err := p.engine.setReadOnly(ctx, p.Primary, true); err != nil {
		return err
	}
	select {
	case <-time.After(handover):
		return p.promote(ctx, epoch)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeOver is a failover without the primary. The primary is not touched until it is clear that the replica can take over.
func (p *Pair) takeOver(ctx context.Context, next view, epoch uint64, force bool) error {
	if err := p.refuseTakeOver(next, force); err != nil {
		return err
	}
	running, err := p.Primary.Running()
	if err != nil {
		return fmt.Errorf("%s may still take writes: %w", p.Primary, err)
	}
	if running {
		p.say("%s still runs and is killed", p.Primary)
		if err := p.Primary.Kill(); err != nil {
			return fmt.Errorf("%s may still take writes: %w", p.Primary, err)
		}
	}
	p.say("%s applies what it received", p.Replica)
	catching, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	err = p.Replica.asRoot(func(db *sql.DB) error {
		if err := awaitEndOfReceiving(catching, db); err != nil {
			return err
		}
		return p.engine.drain(catching, db)
	})
	if err != nil {
		return fmt.Errorf("%s cannot apply what it received: %w", p.Replica, err)
	}
	if err := p.reportAge(ctx); err != nil {
		return err
	}
	if err := p.promote(ctx, epoch); err != nil {
		return err
	}
	// Whoever starts the old primary, it comes back read-only. If this fails, the container may be gone, and then nobody can write to
	// it. If it comes back nevertheless, its lower epoch tells clients.
	if err := p.Replica.demote(ctx); err != nil {
		p.say("%s could not be told that it is a replica now. Start it by `make rejoin` only: %v", p.Replica, err)
	}
	return nil
}

// awaitEndOfReceiving waits until a replica has noticed that the primary has ended. What the primary sent before may still be in the
// machine's buffers, and to end the receiving would throw it away.
func awaitEndOfReceiving(ctx context.Context, replica *sql.DB) error {
	return proc.Poll(ctx, func() error {
		now, err := ReadReplicaStatus(ctx, replica)
		if err == nil && now.receiving {
			err = errors.New("it still receives")
		}
		return err
	})
}

// refuseTakeOver says why the replica cannot take over without the primary.
func (p *Pair) refuseTakeOver(next view, force bool) error {
	switch {
	case next.status.applyFailed:
		return fmt.Errorf("%s cannot apply what it received: %s", p.Replica, next.status.Problem)
	case next.status.receiveFailed && !force:
		return fmt.Errorf("%s stopped receiving before, so what was written since would be lost (FORCE=1 promotes it nevertheless): %s",
			p.Replica, next.status.Problem)
	}
	return nil
}

// reportAge tells the operator if the replica's newest heartbeat is old. Whether it lacks anything depends on how long the primary went on
// after that, which nobody knows while the primary does not answer.
func (p *Pair) reportAge(ctx context.Context) error {
	return p.Replica.asRoot(func(db *sql.DB) error {
		beat, err := highest(ctx, db, "beat") // a time in microseconds, 0 before the first one
		if age := time.Since(time.UnixMicro(int64(beat))); err == nil && beat != 0 && age > oldBeat {
			p.say("%s has the primary's heartbeat of %v ago, and none after that: it has nothing that the primary took later, if it took anything",
				p.Replica, age.Round(time.Second))
		}
		return err
	})
}

// promote makes the replica the primary, and exchanges the fields.
func (p *Pair) promote(ctx context.Context, epoch uint64) error {
	next := p.Replica
	p.say("%s is promoted with epoch %d", next, epoch)
	err := next.asRoot(func(db *sql.DB) error {
		if err := execAll(ctx, db, stopReplica, p.engine.words().beginRootWrites); err != nil {
			return err
		}
		// The record comes before the first write that the old primary lacks. From here on, whoever starts the old primary, it is not
		// the primary.
		if err := p.engine.record(next); err != nil {
			return err
		}
		return RaiseEpoch(ctx, db, epoch)
	})
	if err != nil {
		return err
	}
	if err := p.engine.setReadOnly(ctx, next, false); err != nil {
		return err
	}
	p.swap()
	// This comes last: after an interrupted failover, the server to promote is recognized by its following another.
	return next.exec(ctx, forgetSource)
}
