package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// catchUpPatience is how long the replica may take to apply what it lacks while nobody can write.
	catchUpPatience = 30 * time.Second
	// handover is the least time in which nobody can write during a failover that the primary takes part in. Clients look at the roles
	// of the servers ten times a second. A client that notices in this time that the old primary is none reads nothing old from
	// it. A client whose looks get no answer believes in the old primary for longer (2 s in libs/mysqlx), and learns from the
	// new primary's higher epoch. So a second is enough, and all writes wait for it.
	handover = time.Second
	// oldBeat is the age of a promoted server's newest heartbeat from which on the operator is told. Heartbeats come every second.
	oldBeat = 5 * time.Second
)

// changeOver is a failover that the primary takes part in. Nothing is final until the replica has everything.
func (p *Pair) changeOver(ctx context.Context, epoch uint64) error {
	p.say("%s becomes read-only", p.Primary)
	if err := p.engine.setReadOnly(ctx, p.Primary, true); err != nil {
		return errors.Join(err, p.giveUp(ctx))
	}
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
	switch {
	case next.status.applyFailed:
		return fmt.Errorf("%s cannot apply what it received: %s", p.Replica, next.status.Problem)
	case next.status.receiveFailed && !force:
		return fmt.Errorf("%s stopped receiving before, so what was written since would be lost (FORCE=1 promotes it nevertheless): %s",
			p.Replica, next.status.Problem)
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
	err = p.Replica.asRoot(func(db *sql.DB) error { return p.engine.drain(catching, db) })
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
