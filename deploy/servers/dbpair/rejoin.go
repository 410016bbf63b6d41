package dbpair

import (
	"context"
	"database/sql"
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
		follows, err := p.follows(ctx)
		if err != nil {
			return err
		}
		if follows {
			p.say("nothing to do: %s follows %s", p.Replica, p.Primary)
			return nil
		}
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

// follows reports whether a replica that runs has, or can have, everything that the primary has. One that has just connected also runs,
// for the moment until the primary tells it that its log no longer holds what the replica needs, or that the replica holds what the primary
// lacks. A replica may have received what it has not applied yet, so it applies that first, and receives no more meanwhile.
func (p *Pair) follows(ctx context.Context) (follows bool, err error) {
	err = p.Replica.asRoot(func(replica *sql.DB) error {
		return p.Primary.asRoot(func(primary *sql.DB) error {
			errant, missing, err := p.engine.compare(ctx, replica, primary)
			if err != nil || !missing {
				follows = err == nil && !errant
				return err
			}
			p.say("%s applies what it received", p.Replica)
			return p.engine.drain(ctx, replica)
		})
	})
	return follows, err
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
	p.warnOfSpace()
	return p.engine.revive(ctx, p)
}

// warnOfSpace tells the operator if the disk of a server that starts is as good as full. The server may start nevertheless, or may wait for
// space, which looks like a start that takes long.
func (p *Pair) warnOfSpace() {
	const little = 32 // MB
	if process, local := p.Replica.instance.(*mariadbProcess); local {
		if err := requireSpace(process.dir, little); err != nil {
			p.say("this may take minutes and fail: %v", err)
		}
	}
}
