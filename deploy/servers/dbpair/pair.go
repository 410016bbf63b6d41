// Package dbpair runs and repairs pairs of database servers: a primary and a read-only replica, MariaDB as processes or MySQL in
// containers. They are set up as in production (GTID, row binlog, full durability, semi-synchronous replication, passwords), and
// change roles as there: Failover and Rejoin are what `make failover` and `make rejoin` do. Tests take theirs from package testservers.
//
// A pair is detached, to outlive the command that started it, or ends with its process.
package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oms.internal/servers/proc"
)

// Pair is a primary and its replica. The replica holds what the primary holds, users included, and refuses writes. The two
// fields are roles: Failover and Rejoin exchange them, so nobody else may read them meanwhile.
type Pair struct {
	Primary *Server
	Replica *Server

	// RootPassword is root's on both servers.
	RootPassword string

	// Report is told each step of Failover, Rejoin and of what they need; nil for nobody.
	Report func(step string)

	replicatorPassword string
	engine             engine
	reaper             *proc.Reaper
}

// replicator is the user that the replica logs in to the primary as.
const replicator = "replicator"

// semiSyncTimeout is how many milliseconds a commit waits for the replica before the primary goes on without.
const semiSyncTimeout = 1000

// Start starts a pair and returns when both servers answer, the bootstrap statements have been executed and
// replication runs. After a failover the servers start in the roles that it gave them.
func Start(ctx context.Context, options Options) (*Pair, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start database pair: %w", err)
	}
	build := newMariaDBPair
	if options.Engine == MySQL {
		build = newMySQLPair
	}
	pair, err := build(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("start database pair: %w", err)
	}
	pair.Report = options.Report
	if err := pair.begin(ctx, options); err != nil {
		err = fmt.Errorf("start database pair: %w", err)
		if options.Detached {
			return nil, err // what runs is kept: it may hold data and somebody may use it
		}
		return nil, errors.Join(err, pair.Close())
	}
	return pair, nil
}

func (p *Pair) begin(ctx context.Context, options Options) error {
	// The two start side by side: most of a start is waiting for the disk.
	started := make(chan error, 1)
	go func() { started <- p.Replica.start(ctx) }()
	primaryErr, replicaErr := p.Primary.start(ctx), <-started
	if primaryErr != nil && replicaErr == nil && options.Detached {
		return fmt.Errorf("%w\n`make failover` makes %s the primary", primaryErr, p.Replica.title())
	}
	// A test gets both or none; the shop goes on with the primary alone.
	if primaryErr != nil || replicaErr != nil && !options.Detached {
		return errors.Join(primaryErr, replicaErr)
	}
	if options.Detached {
		if err := p.settle(ctx); err != nil {
			return err
		}
	}
	servers, attach := []*Server{p.Primary, p.Replica}, p.attachAndSync
	switch {
	case replicaErr != nil:
		p.say("%s goes on alone: %v", p.Primary.title(), replicaErr)
		servers, attach = servers[:1], func(context.Context) error { return nil }
	case options.Detached:
		attach = p.Reattach
	}
	return p.unhurried(ctx, servers, func() error {
		statements := []string{
			fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY %s", replicator, quote(options.ReplicatorPassword)),
			fmt.Sprintf("GRANT REPLICATION SLAVE ON *.* TO '%s'@'%%'", replicator),
		}
		if err := p.Primary.exec(ctx, append(statements, options.Bootstrap...)...); err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
		return attach(ctx)
	})
}

// settle finds the primary among servers that may have been given other roles by hand, or half of them by a failover that was
// cut off: statements executed on the wrong server could not be taken back.
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
	return p.lead(ctx)
}

// Reattach makes the replica follow the primary, unless it does, and waits until it has caught up. What keeps it from that is
// only reported: the system can be used without a replica, and making its data anew is for somebody to decide.
func (p *Pair) Reattach(ctx context.Context) error {
	if err := p.requireSound(ctx); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	if err := p.lead(ctx); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	if err := p.attachAndSync(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		p.say("%s goes on alone; `make rejoin` mends that: %v", p.Primary.title(), err)
	}
	return nil
}

func (p *Pair) attachAndSync(ctx context.Context) error {
	if err := p.attach(ctx); err != nil {
		return err
	}
	return p.Sync(ctx)
}

// attach makes the replica follow the primary if its data allows that, and in any case keeps it from being written to.
func (p *Pair) attach(ctx context.Context) error {
	if err := p.engine.setReadOnly(ctx, p.Replica, true); err != nil {
		return err
	}
	reason, err := p.mustRebuild(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		return fmt.Errorf("%s, so it cannot follow; a rejoin makes its data anew", reason)
	}
	if err := p.engine.follow(ctx, p); err != nil {
		return fmt.Errorf("replication: %w", err)
	}
	return nil
}

// lead ends the primary's own following, which an interrupted failover leaves: one that was cut off before its end, or, where
// the server has been restarted since, before it had raised the epoch.
func (p *Pair) lead(ctx context.Context) error {
	return p.Primary.asRoot(func(db *sql.DB) error {
		now, err := p.engine.standing(ctx, db)
		if err != nil || !now.configured {
			return err
		}
		if err := execAll(ctx, db, p.engine.words().stop); err != nil {
			return err
		}
		epoch, err := HighestEpoch(ctx, db)
		if err != nil {
			return err
		}
		if err := RaiseEpoch(ctx, db, epoch+1); err != nil {
			return err
		}
		return execAll(ctx, db, p.engine.words().forget)
	})
}

func (p *Pair) say(format string, arguments ...any) {
	if p.Report != nil {
		p.Report(fmt.Sprintf(format, arguments...))
	}
}

func (p *Pair) swap() { p.Primary, p.Replica = p.Replica, p.Primary }

// Hosts are the addresses of both servers, separated by a comma, as the setting MYSQL_HOSTS takes them.
func (p *Pair) Hosts() string { return p.Primary.Addr() + "," + p.Replica.Addr() }

// syncPatience is how long a replica may take to catch up; one that does not run would never.
const syncPatience = time.Minute

// Sync waits until the replica holds everything that the primary holds now. It fails if ctx ends first or replication
// does not run.
func (p *Pair) Sync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	if err := p.engine.caughtUp(ctx, p); err != nil {
		return fmt.Errorf("wait for the replica: %w", err)
	}
	return nil
}

// Stop shuts both servers down in order. The data stays.
func (p *Pair) Stop(ctx context.Context) error {
	// The replica goes first: a primary waits for the dump thread of a replica that is connected.
	return errors.Join(p.Replica.Stop(ctx), p.Primary.Stop(ctx))
}

// Close kills both servers and, unless the pair is detached, removes everything that was made for it.
func (p *Pair) Close() error {
	err := errors.Join(p.Replica.Kill(), p.Primary.Kill())
	if p.reaper != nil {
		err = errors.Join(err, p.reaper.Finish())
	}
	return err
}
