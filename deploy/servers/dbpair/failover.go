package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// catchUpPatience is how long the replica may take to apply what it lacks while nobody can write.
const catchUpPatience = 30 * time.Second

// handover is how long nobody can write in a failover that the primary takes part in, at least: clients look at the servers'
// roles ten times a second, and one that has seen that the old primary is none before there is a new one does not read the
// newest from the old. One whose looks at the old get no answer believes in it for longer (libs/mysqlx: 2 s); it learns from
// the new primary's higher epoch. So a second is enough, and all writes wait for it.
const handover = time.Second

// oldBeat is how old the newest heartbeat of a server that is promoted may be without a word. They come every second.
const oldBeat = 5 * time.Second

// Failover makes the replica the primary. If the primary answers, it is made read-only first, the replica catches up wholly
// and the two change roles: nothing is lost. If it does not, it is killed where it may still run (what hangs may wake up and
// acknowledge), and the replica is promoted with all that it received.
//
// Every step can be repeated; a failover that was interrupted is completed by another. The promoted server's epoch is higher
// than any before, and is written before anybody may write there: that is how clients tell it from a primary that comes back.
//
// A replica that stopped receiving because of an error lacks what the primary wrote since, and is refused.
func (p *Pair) Failover(ctx context.Context) error { return p.failover(ctx, false) }

// ForceFailover is Failover that also promotes a replica which stopped receiving because of an error, and one that holds
// newer data than the primary, which is killed then.
func (p *Pair) ForceFailover(ctx context.Context) error { return p.failover(ctx, true) }

func (p *Pair) failover(ctx context.Context, force bool) error {
	alone, err := p.replacePrimary(ctx, p.look(ctx), force)
	if err != nil {
		return fmt.Errorf("failover: %w", err)
	}
	if alone {
		p.say("%s is the primary; when %s can run again, a rejoin makes it the replica", p.Primary.title(), p.Replica.title())
		return nil
	}
	p.say("%s follows %s", p.Replica.title(), p.Primary.title())
	if err := p.attach(ctx); err != nil {
		return fmt.Errorf("failover: %s is the primary now, but %s does not follow it; rejoin: %w",
			p.Primary.title(), p.Replica.title(), err)
	}
	return nil
}

// replacePrimary leaves the new primary and the old in the fields of their roles, and says whether the old is out of reach.
func (p *Pair) replacePrimary(ctx context.Context, views [2]view, force bool) (alone bool, err error) {
	if promoted, other, err := tellPrimary(views); err == nil && promoted.standing.configured {
		// Cut off before its last step.
		p.Primary, p.Replica = promoted.server, other.server
		return other.err != nil, p.lead(ctx)
	}
	old, next, err := choose(views)
	if err != nil {
		return false, err
	}
	p.Primary, p.Replica = old.server, next.server
	epoch := max(old.epoch, next.epoch) + 1
	switch {
	case next.newerThan(old) && !force:
		return false, fmt.Errorf("%s holds newer data than %s, which cannot hand over to it; if the latter's was lost, FORCE=1 kills it "+
			"and promotes the former", next.server.title(), old.server.title())
	case next.newerThan(old):
		p.say("%s holds newer data than %s", next.server.title(), old.server.title())
		return true, p.takeOver(ctx, next, epoch, force)
	case old.err != nil:
		p.say("%s does not answer (%v)", old.server.title(), old.err)
		return true, p.takeOver(ctx, next, epoch, force)
	case next.epoch > old.epoch:
		return false, p.complete(ctx, epoch)
	default:
		return false, p.changeOver(ctx, epoch)
	}
}

// choose says which server takes over from which.
func choose(views [2]view) (old, next view, err error) {
	first, second := views[0], views[1]
	// From here on first is what answers and is written to, if there is one.
	if second.writable() && !first.writable() || first.err != nil && second.err == nil && !second.writable() {
		first, second = second, first
	}
	switch {
	case first.err != nil:
		return old, next, fmt.Errorf("neither server answers: %w", errors.Join(first.err, second.err))
	case first.writable() && second.writable():
		return old, next, fmt.Errorf("both servers take writes (epoch of %s: %d, of %s: %d); a rejoin makes the one of the lower "+
			"epoch a replica", first.server.title(), first.epoch, second.server.title(), second.epoch)
	case first.writable() && second.err != nil:
		return old, next, fmt.Errorf("there is no server to promote: %s is the primary and %s does not answer; rejoin it: %w",
			first.server.title(), second.server.title(), second.err)
	case first.writable():
		old, next = first, second
	case second.err != nil: // the replica alone
		old, next = second, first
	case first.standing.configured == second.standing.configured:
		return old, next, errors.New("both servers are read-only and it cannot be told which of them followed the other; " +
			"deploy/RECOVERY.md says how to choose")
	case first.standing.configured: // interrupted after the primary had been made read-only
		old, next = second, first
	default:
		old, next = first, second
	}
	if !next.standing.configured {
		return old, next, fmt.Errorf("there is no server to promote: %s follows nobody, so it may lack transactions; rejoin it",
			next.server.title())
	}
	return old, next, nil
}

// changeOver is a failover that the primary takes part in. Until the replica has everything, nothing is final.
func (p *Pair) changeOver(ctx context.Context, epoch uint64) error {
	p.say("%s becomes read-only", p.Primary.title())
	if err := p.engine.setReadOnly(ctx, p.Primary, true); err != nil {
		return errors.Join(err, p.giveUp(ctx))
	}
	noticed := time.NewTimer(handover)
	defer noticed.Stop()
	p.say("%s applies what it lacks", p.Replica.title())
	catching, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	err := p.engine.follow(catching, p)
	if err == nil {
		err = p.engine.caughtUp(catching, p)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s does not catch up: %w", p.Replica.title(), err), p.giveUp(ctx))
	}
	select {
	case <-noticed.C:
		return p.promote(ctx, epoch)
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.giveUp(ctx))
	}
}

// complete ends a promotion that was cut off. The replica's epoch says that it had all that it was to have; what the old
// primary may hold beyond that was given up then, and cannot be fetched any more.
func (p *Pair) complete(ctx context.Context, epoch uint64) error {
	p.say("the promotion of %s was cut off and is completed", p.Replica.title())
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

// giveUp lets the primary be written to again, also if the caller has given up.
func (p *Pair) giveUp(ctx context.Context) error {
	p.say("%s stays the primary", p.Primary.title())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), catchUpPatience)
	defer cancel()
	return p.engine.setReadOnly(ctx, p.Primary, false)
}

// takeOver is a failover without the primary. That is left as it is until it is known that the replica can take over.
func (p *Pair) takeOver(ctx context.Context, next view, epoch uint64, force bool) error {
	switch {
	case next.standing.broken:
		return fmt.Errorf("%s cannot apply what it received: %s", p.Replica.title(), next.standing.problem)
	case next.standing.gaveUp && !force:
		return fmt.Errorf("%s stopped receiving before, so what was written since would be lost (FORCE=1 promotes it nevertheless): %s",
			p.Replica.title(), next.standing.problem)
	}
	alive, err := p.Primary.body.Lives()
	if err != nil {
		return fmt.Errorf("%s may still be written to: %w", p.Primary.title(), err)
	}
	if alive {
		p.say("%s still runs and is killed", p.Primary.title())
		if err := p.Primary.Kill(); err != nil {
			return fmt.Errorf("%s may still be written to: %w", p.Primary.title(), err)
		}
	}
	p.say("%s applies what it received", p.Replica.title())
	catching, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	err = p.Replica.asRoot(func(db *sql.DB) error { return p.engine.drain(catching, db) })
	if err != nil {
		return fmt.Errorf("%s cannot apply what it received: %w", p.Replica.title(), err)
	}
	if err := p.sayHowOld(ctx); err != nil {
		return err
	}
	if err := p.promote(ctx, epoch); err != nil {
		return err
	}
	// Whoever starts the old primary, it is read-only. A container that is gone has nothing to be written to, and the epoch is
	// there for the case that it comes back.
	if err := p.Replica.body.demote(ctx); err != nil {
		p.say("%s cannot be told that it is a replica now; do not start it but by a rejoin: %v", p.Replica.title(), err)
	}
	return nil
}

// sayHowOld tells of a replica whose newest heartbeat is old: what was written after it is not there.
func (p *Pair) sayHowOld(ctx context.Context) error {
	return p.Replica.asRoot(func(db *sql.DB) error {
		age, known, err := beatAge(ctx, db)
		if err == nil && known && age > oldBeat {
			p.say("%s holds nothing of the last %v: its newest heartbeat is as old", p.Replica.title(), age.Round(time.Second))
		}
		return err
	})
}

// promote makes the replica the primary, and exchanges the fields.
func (p *Pair) promote(ctx context.Context, epoch uint64) error {
	next, words := p.Replica, p.engine.words()
	p.say("%s is promoted with epoch %d", next.title(), epoch)
	err := next.asRoot(func(db *sql.DB) error {
		if err := execAll(ctx, db, words.stop, words.beginRootWrites); err != nil {
			return err
		}
		// Before anything is written that the old primary lacks: from here on that is none, whoever starts it.
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
	// Last: a server that follows is what an interrupted failover recognizes the one to promote by.
	return next.exec(ctx, words.forget)
}
