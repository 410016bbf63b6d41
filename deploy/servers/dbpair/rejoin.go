package dbpair

import (
	"context"
	"fmt"
)

// Rejoin makes the server that is not the primary its replica, and starts it if it does not run. If that server holds transactions
// that the primary lacks, or lacks transactions that the primary's log no longer holds, it gets a copy of the primary's data. Rejoin
// can be repeated, and completes what was interrupted. If the other server already follows, Rejoin does nothing.
func (p *Pair) Rejoin(ctx context.Context) error {
	if err := p.rejoin(ctx); err != nil {
		return fmt.Errorf("rejoin: %w", err)
	}
	return nil
}

func (p *Pair) rejoin(ctx context.Context) error {
	views := p.look(ctx)
	primary, other, err := tellPrimary(views)
	if err != nil {
		return err
	}
	p.Primary, p.Replica = primary.server, other.server
	if other.err == nil && other.readOnly && other.status.Running() {
		p.say("nothing to do: %s follows %s", p.Replica, p.Primary)
		return nil
	}
	if err := p.engine.record(p.Primary); err != nil {
		return err
	}
	if err := p.stopFollowing(ctx); err != nil {
		return err
	}
	if err := p.revive(ctx, other); err != nil {
		return err
	}
	if views = p.look(ctx); views[1].newerThan(views[0]) {
		return p.errNewerReplica()
	}
	if err := p.attach(ctx, true); err != nil {
		return err
	}
	return p.Sync(ctx)
}

// revive starts a server that does not answer. If it runs nevertheless, it hangs, and is killed first.
func (p *Pair) revive(ctx context.Context, seen view) error {
	if seen.err == nil {
		return nil
	}
	running, err := p.Replica.Running()
	if err != nil {
		return err
	}
	if running {
		p.say("%s does not answer and is killed: %v", p.Replica, seen.err)
		if err := p.Replica.Kill(); err != nil {
			return err
		}
	}
	if err := p.Replica.demote(ctx); err != nil {
		return err
	}
	p.say("%s starts", p.Replica)
	return p.engine.revive(ctx, p)
}
