// Package dbpair starts, promotes and repairs pairs of database servers: a primary and its read-only replica, MariaDB as processes or
// MySQL in containers. A pair is set up as in production: GTID, row-based binary log, full durability, semi-synchronous replication,
// passwords. A detached pair outlives the command that started it; any other pair ends with its process.
//
// Failover and Rejoin are what `make failover` and `make rejoin` do. Each of their steps can be repeated, so that the next command
// completes an interrupted one. Where the servers do not show which of them is the primary, they refuse to choose.
//
// Of the schemas on the servers the package knows one table only, heartbeat (see libs/mysqlx). It must not import another module of OMS.
package dbpair

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oms.internal/servers/proc"
)

// Pair is a primary and its replica. The replica holds what the primary holds, users included, and refuses writes. Primary and
// Replica are roles: Failover, Rejoin and Orient may exchange them, so nobody else may read the two fields meanwhile.
type Pair struct {
	Primary *Server
	Replica *Server

	// RootPassword is root's on both servers.
	RootPassword string

	// Report is told each step of Failover, Rejoin and of what they need. It may be nil.
	Report func(step string)

	replicatorPassword string
	engine             engine
	reaper             *proc.Reaper
}

const (
	// replicator is the user with which the replica logs in to the primary.
	replicator = "replicator"
	// primaryName and replicaName are the names of a pair's servers, after their first roles.
	primaryName = "primary"
	replicaName = "replica"
	// syncPatience is how long a replica may take to catch up. A replica that does not run never does.
	syncPatience = time.Minute
)

// Start starts a pair. It returns when both servers answer, the bootstrap statements have been executed and replication runs. A
// detached pair starts in the roles of its last failover; it also starts without its replica, because the shop can go on alone.
func Start(ctx context.Context, options Options) (*Pair, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start database pair: %w", err)
	}
	var pair *Pair
	if options.Engine == MySQL {
		pair, err = newMySQLPair(ctx, options)
	} else {
		pair, err = newMariaDBPair(options)
	}
	if err != nil {
		return nil, fmt.Errorf("start database pair: %w", err)
	}
	if err := pair.begin(ctx, options); err != nil {
		err = fmt.Errorf("start database pair: %w", err)
		if options.Detached {
			return nil, err // the servers that run are left alone: they may hold data, and somebody may use them
		}
		return nil, errors.Join(err, pair.Close())
	}
	return pair, nil
}

func (p *Pair) begin(ctx context.Context, options Options) error {
	// Both servers start at the same time, because most of a start is waiting for the disk.
	started := make(chan error, 1)
	go func() { started <- p.Replica.start(ctx) }()
	primaryErr, replicaErr := p.Primary.start(ctx), <-started
	if primaryErr != nil && replicaErr == nil && options.Detached {
		return fmt.Errorf("%w\n`make failover` makes %s the primary", primaryErr, p.Replica)
	}
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
		p.say("%s goes on alone: %v", p.Primary, replicaErr)
		if errors.Is(replicaErr, errHangs) {
			p.say("`make rejoin` kills %s and starts it again", p.Replica)
		}
		servers, attach = servers[:1], func(context.Context) error { return nil }
	case options.Detached:
		attach = p.Reattach
	}
	return p.withoutSemiSyncWait(ctx, servers, func() error {
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

func (p *Pair) say(format string, arguments ...any) {
	if p.Report != nil {
		p.Report(fmt.Sprintf(format, arguments...))
	}
}

func (p *Pair) swap() { p.Primary, p.Replica = p.Replica, p.Primary }

// Engine returns the kind of both servers.
func (p *Pair) Engine() Engine { return p.engine.words().engine }

// Hosts returns the addresses of both servers, in the form of the setting MYSQL_HOSTS.
func (p *Pair) Hosts() string { return p.Primary.Addr() + "," + p.Replica.Addr() }

// Sync waits until the replica holds everything that the primary holds now. It fails if ctx ends first or replication does not run.
func (p *Pair) Sync(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	if err := p.engine.caughtUp(waiting, p); err != nil {
		return fmt.Errorf("wait for the replica: %w: %s", err, p.Replica.replicationState(ctx))
	}
	return nil
}

// Stop shuts both servers down in order. The data stays.
func (p *Pair) Stop(ctx context.Context) error {
	// The replica stops first, because a primary that stops waits for the replica that reads from it.
	return errors.Join(p.Replica.Stop(ctx), p.Primary.Stop(ctx))
}

// Close kills both servers. If the pair is not detached, Close also removes everything that was made for it.
func (p *Pair) Close() error {
	err := errors.Join(p.Replica.Kill(), p.Primary.Kill())
	if p.reaper != nil {
		err = errors.Join(err, p.reaper.Finish())
	}
	return err
}
