package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Rejoin makes the server that is not the primary its replica, starting it if it does not run. One that holds transactions
// that the primary lacks, or lacks what the primary's log no longer holds, is given the primary's data anew. It can be
// repeated, and completes what was interrupted; where the other already follows, it does nothing.
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
	if other.err == nil && other.readOnly && other.standing.running() {
		p.say("nothing to do: %s follows %s", p.Replica.title(), p.Primary.title())
		return nil
	}
	if err := p.engine.record(p.Primary); err != nil {
		return err
	}
	if err := p.lead(ctx); err != nil {
		return err
	}
	if err := p.revive(ctx, other); err != nil {
		return err
	}
	if views = p.look(ctx); views[1].newerThan(views[0]) {
		return p.newerReplica()
	}
	p.say("%s becomes read-only", p.Replica.title())
	if err := p.engine.setReadOnly(ctx, p.Replica, true); err != nil {
		return err
	}
	reason, err := p.mustRebuild(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		p.say("%s: its data is made anew", reason)
		if err := p.rebuild(ctx); err != nil {
			return fmt.Errorf("make the data of %s anew: %w", p.Replica.title(), err)
		}
	}
	p.say("%s follows %s", p.Replica.title(), p.Primary.title())
	if err := p.engine.follow(ctx, p); err != nil {
		return err
	}
	return p.Sync(ctx)
}

// tellPrimary says which server is the primary.
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
			first.server.title(), second.server.title())
	}
	return first, second, nil
}

// revive starts a server that does not answer. One that runs nevertheless hangs, and is killed.
func (p *Pair) revive(ctx context.Context, seen view) error {
	if seen.err == nil {
		return nil
	}
	alive, err := p.Replica.body.Lives()
	if err != nil {
		return err
	}
	if alive {
		p.say("%s does not answer and is killed: %v", p.Replica.title(), seen.err)
		if err := p.Replica.Kill(); err != nil {
			return err
		}
	}
	if err := p.Replica.body.demote(ctx); err != nil {
		return err
	}
	p.say("%s starts", p.Replica.title())
	return p.engine.revive(ctx, p)
}

// rebuilding is a schema that exists on a replica while its data is made anew. What is left when that was interrupted is not
// recognized by its position.
const rebuilding = "oms_rebuilding"

// mustRebuild says why the replica cannot go on with the data that it has; "" if it can.
func (p *Pair) mustRebuild(ctx context.Context) (reason string, err error) {
	err = p.Replica.asRoot(func(replica *sql.DB) error {
		var unfinished int
		err := replica.QueryRowContext(ctx,
			"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '"+rebuilding+"'").Scan(&unfinished)
		if err != nil {
			return err
		}
		if unfinished > 0 {
			reason = p.Replica.title() + " holds half of a copy"
			return nil
		}
		return p.Primary.asRoot(func(primary *sql.DB) error {
			stray, err := p.engine.strays(ctx, replica, primary)
			if err != nil || stray {
				reason = fmt.Sprintf("%s holds transactions that %s lacks", p.Replica.title(), p.Primary.title())
				return err
			}
			left, err := p.engine.leftBehind(ctx, replica, primary)
			if left {
				reason = fmt.Sprintf("%s lacks transactions that the log of %s no longer holds", p.Replica.title(), p.Primary.title())
			}
			return err
		})
	})
	return reason, err
}

// rebuild gives the replica the primary's schemas in place of its own, and the users that it lacks: most were made by
// statements that both have executed, but not if the replica lost its data.
func (p *Pair) rebuild(ctx context.Context) error {
	words := p.engine.words()
	schemas, err := p.Primary.schemas(ctx)
	if err != nil {
		return err
	}
	if len(schemas) == 0 {
		return fmt.Errorf("%s holds no schema", p.Primary.title())
	}
	own, err := p.Replica.schemas(ctx)
	if err != nil {
		return err
	}
	const unlogged = "SET SESSION sql_log_bin = 0"
	statements := []string{words.stop, words.forget, words.beginRootWrites, unlogged, "CREATE DATABASE IF NOT EXISTS " + rebuilding}
	for _, schema := range own {
		if schema != rebuilding {
			statements = append(statements, "DROP DATABASE IF EXISTS `"+schema+"`")
		}
	}
	if err := p.Replica.exec(ctx, statements...); err != nil {
		return err
	}
	if err := p.Replica.asRoot(func(db *sql.DB) error { return p.engine.empty(ctx, db) }); err != nil {
		return err
	}
	p.say("copying %s from %s", strings.Join(schemas, ", "), p.Primary.title())
	if err := p.engine.refill(ctx, p, schemas); err != nil {
		return err
	}
	users, err := p.Primary.users(ctx)
	if err != nil {
		return err
	}
	statements = append([]string{unlogged}, users...)
	if err := p.Replica.exec(ctx, append(statements, "DROP DATABASE "+rebuilding)...); err != nil {
		return err
	}
	return p.engine.setReadOnly(ctx, p.Replica, true)
}

// schemas are those of a server that are not its own.
func (s *Server) schemas(ctx context.Context) (names []string, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		names, err = stringsOf(ctx, db, "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN "+
			"('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY schema_name")
		return err
	})
	return names, err
}

// users are statements that make a server's users, but for root and the server's own, where they do not exist.
func (s *Server) users(ctx context.Context) (statements []string, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		db.SetMaxOpenConns(1)
		// MySQL's hashes hold any byte. MariaDB leaves out comments for this version.
		if _, err := db.ExecContext(ctx, "/*!80017 SET SESSION print_identified_with_as_hex = ON */"); err != nil {
			return err
		}
		names, err := stringsOf(ctx, db, "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user "+
			"WHERE user <> 'root' AND user NOT LIKE '%.%'")
		if err != nil {
			return err
		}
		for _, name := range names {
			created, err := stringsOf(ctx, db, "SHOW CREATE USER "+name)
			if err != nil {
				return err
			}
			granted, err := stringsOf(ctx, db, "SHOW GRANTS FOR "+name)
			if err != nil {
				return err
			}
			for _, statement := range created {
				statements = append(statements, strings.Replace(statement, "CREATE USER", "CREATE USER IF NOT EXISTS", 1))
			}
			statements = append(statements, granted...)
		}
		return nil
	})
	return statements, err
}
