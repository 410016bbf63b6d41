package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

const (
	// rebuilding is a schema that exists on a replica while its data is replaced. The replica's position does not show that a copy was
	// interrupted; this schema does.
	rebuilding = "oms_rebuilding"
	// unlogged keeps the statements that follow it on its connection out of the server's binary log.
	unlogged = "SET SESSION sql_log_bin = 0"
)

// mustRebuild returns why the replica cannot go on with the data that it has, and "" if it can.
func (p *Pair) mustRebuild(ctx context.Context) (reason string, err error) {
	err = p.Replica.asRoot(func(replica *sql.DB) error {
		var unfinished int
		err := replica.QueryRowContext(ctx,
			"SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '"+rebuilding+"'").Scan(&unfinished)
		if err != nil {
			return err
		}
		if unfinished > 0 {
			reason = p.Replica.String() + " holds half of a copy"
			return nil
		}
		return p.Primary.asRoot(func(primary *sql.DB) error {
			errant, missing, err := p.engine.compare(ctx, replica, primary)
			switch {
			case errant:
				reason = fmt.Sprintf("%s holds transactions that %s lacks", p.Replica, p.Primary)
			case missing:
				reason = fmt.Sprintf("%s lacks transactions that the log of %s no longer holds", p.Replica, p.Primary)
			}
			return err
		})
	})
	return reason, err
}

// rebuild replaces the replica's schemas by the primary's, and makes the users that the replica lacks. Most users exist on both,
// because both executed the statements that made them; a replica that lost its data has none.
func (p *Pair) rebuild(ctx context.Context) error {
	schemas, err := p.Primary.schemas(ctx)
	if err != nil {
		return err
	}
	if len(schemas) == 0 {
		return fmt.Errorf("%s holds no schema", p.Primary)
	}
	own, err := p.Replica.schemas(ctx)
	if err != nil {
		return err
	}
	statements := []string{
		stopReplica, forgetSource, p.engine.words().beginRootWrites, unlogged, "CREATE DATABASE IF NOT EXISTS " + rebuilding,
	}
	for _, schema := range own {
		if schema != rebuilding {
			statements = append(statements, "DROP DATABASE IF EXISTS `"+schema+"`")
		}
	}
	if err := p.Replica.exec(ctx, statements...); err != nil {
		return err
	}
	p.say("copying %s from %s", strings.Join(schemas, ", "), p.Primary)
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

// schemas returns the schemas of a server, without the engine's own.
func (s *Server) schemas(ctx context.Context) (names []string, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		names, err = queryStrings(ctx, db, "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN "+
			"('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY schema_name")
		return err
	})
	return names, err
}

// users returns statements that make the users of a server where they do not exist. root and the engine's own users are left out.
func (s *Server) users(ctx context.Context) (statements []string, err error) {
	err = s.asRoot(func(db *sql.DB) error {
		db.SetMaxOpenConns(1)
		// MySQL's password hashes hold any byte, so they are shown in hexadecimal. MariaDB skips comments for this version.
		if _, err := db.ExecContext(ctx, "/*!80017 SET SESSION print_identified_with_as_hex = ON */"); err != nil {
			return err
		}
		names, err := queryStrings(ctx, db, "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user "+
			"WHERE user <> 'root' AND user NOT LIKE '%.%'")
		if err != nil {
			return err
		}
		for _, name := range names {
			created, err := queryStrings(ctx, db, "SHOW CREATE USER "+name)
			if err != nil {
				return err
			}
			granted, err := queryStrings(ctx, db, "SHOW GRANTS FOR "+name)
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
