package dbpair

import (
	"context"
	"database/sql"
	"fmt"
)

// settle finds the primary of a pair that has just been started. Somebody may have exchanged the roles by hand, or an interrupted
// failover may have exchanged half of them, and statements that were executed on the wrong server could not be taken back.
func (p *Pair) settle(ctx context.Context) error {
	if err := p.Orient(ctx); err != nil {
		return err
	}
	if err := p.requireSound(ctx); err != nil {
		return err
	}
	if err := p.engine.record(p.Primary); err != nil {
		return err
	}
	return p.stopFollowing(ctx)
}

// Reattach makes the replica follow the primary, if it does not yet, and waits until it has caught up. If that fails, Reattach only
// reports it: the system can be used without a replica, and to discard the replica's data is for an operator to decide.
func (p *Pair) Reattach(ctx context.Context) error {
	if err := p.requireSound(ctx); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	if err := p.stopFollowing(ctx); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	if err := p.attachAndSync(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		p.say("%s goes on alone. `make rejoin` repairs the replica: %v", p.Primary, err)
	}
	return nil
}

func (p *Pair) attachAndSync(ctx context.Context) error {
	if err := p.attach(ctx, false); err != nil {
		return err
	}
	return p.Sync(ctx)
}

// attach makes the replica read-only and lets it follow the primary. Where its data does not allow that, attach fails, or with
// mayRebuild replaces that data by the primary's.
func (p *Pair) attach(ctx context.Context, mayRebuild bool) error {
	if err := p.engine.setReadOnly(ctx, p.Replica, true); err != nil {
		return err
	}
	reason, err := p.mustRebuild(ctx)
	if err != nil {
		return err
	}
	if reason != "" && !mayRebuild {
		return fmt.Errorf("%s, so it cannot follow. A rejoin makes its data anew", reason)
	}
	if reason != "" {
		p.say("%s: its data is made anew", reason)
		if err := p.rebuild(ctx); err != nil {
			return fmt.Errorf("make the data of %s anew: %w", p.Replica, err)
		}
	}
	p.say("%s follows %s", p.Replica, p.Primary)
	if err := p.follow(ctx); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	return nil
}

// follow makes the replica replicate from the primary, if it does not yet, and waits until replication runs.
func (p *Pair) follow(ctx context.Context) error {
	return p.Replica.asRoot(func(db *sql.DB) error {
		now, err := ReadReplicaStatus(ctx, db)
		if err != nil {
			return err
		}
		address, change := p.engine.source(p)
		var statements []string
		if now.source != address {
			statements = []string{stopReplica, change}
		}
		if err := execAll(ctx, db, append(statements, "START REPLICA")...); err != nil {
			return fmt.Errorf("make it a replica: %w", err)
		}
		return awaitReplication(ctx, db)
	})
}

// stopFollowing ends the primary's own replication. An interrupted failover leaves a primary that still follows the old one. If it
// has been restarted since, its epoch may not have been raised yet, so that is done here, too.
func (p *Pair) stopFollowing(ctx context.Context) error {
	return p.Primary.asRoot(func(db *sql.DB) error {
		now, err := ReadReplicaStatus(ctx, db)
		if err != nil || !now.Configured {
			return err
		}
		if err := execAll(ctx, db, stopReplica); err != nil {
			return err
		}
		epoch, err := HighestEpoch(ctx, db)
		if err != nil {
			return err
		}
		if err := RaiseEpoch(ctx, db, epoch+1); err != nil {
			return err
		}
		return execAll(ctx, db, forgetSource)
	})
}
