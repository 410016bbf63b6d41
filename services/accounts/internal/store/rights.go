package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/mysqlx"
)

// unchangeable are the tables whose rows the service's user may only insert and read.
var unchangeable = []string{"audit_events", "goose_db_version"}

// removeOld is how the service's user removes old audit events: the procedure has the rights of the user that migrates. It leaves what is
// younger than account.MinAuditRetention, so a service that was taken over cannot remove its traces.
const removeOld = `CREATE PROCEDURE IF NOT EXISTS remove_old_audit_events(IN before_time DATETIME(6), IN most INT)
BEGIN
	DELETE FROM audit_events WHERE at < LEAST(before_time, UTC_TIMESTAMP(6) - INTERVAL 30 DAY) ORDER BY at LIMIT most;
	SELECT ROW_COUNT();
END`

// RestrictUser is a step of a migration: it gives the service's user the right to change rows table by table, and takes that right
// for the whole schema away. So it cannot change audit events. It may run at any time and again. Where the user that migrates may not
// grant, as in installations that were made by a release before, it says how an operator lets it.
func RestrictUser(user string) func(context.Context, *sql.DB, *slog.Logger) error {
	return func(ctx context.Context, db *sql.DB, log *slog.Logger) error {
		err := restrict(ctx, db, "'"+user+"'@'%'")
		if mysqlx.IsDenied(err) {
			log.WarnContext(ctx, "the service's database user may still change audit events: let root run GRANT ALL PRIVILEGES ON "+
				"the schema TO the user that migrates WITH GRANT OPTION, then migrate again", "user", user, "error", err)
			return nil
		}
		if err != nil {
			return fmt.Errorf("rights of %s: %w", user, err)
		}
		return nil
	}
}

func restrict(ctx context.Context, db *sql.DB, user string) error {
	schema, tables, err := tablesOf(ctx, db)
	if err != nil {
		return err
	}
	statements := []string{removeOld, "GRANT EXECUTE ON PROCEDURE " + schema + ".remove_old_audit_events TO " + user}
	for _, table := range tables {
		if !slices.Contains(unchangeable, table) {
			statements = append(statements, "GRANT UPDATE, DELETE ON "+schema+"."+table+" TO "+user)
		}
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	// The last one, so that processes which run lack no right at any time.
	revoke := "REVOKE UPDATE, DELETE ON " + schema + ".* FROM " + user //nolint:gosec // names of the server and of the configuration; GRANT takes no parameters
	if _, err := db.ExecContext(ctx, revoke); !mysqlx.IsNotGranted(err) {
		return err
	}
	return nil
}

// tablesOf names the schema and its tables.
func tablesOf(ctx context.Context, db *sql.DB) (schema string, tables []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT table_schema, table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table string
		if err := rows.Scan(&schema, &table); err != nil {
			return "", nil, err
		}
		tables = append(tables, table)
	}
	return schema, tables, rows.Err()
}

// DeleteOldAuditEvents removes events from before a time, and none that is younger than account.MinAuditRetention.
func (s *Store) DeleteOldAuditEvents(ctx context.Context, before time.Time, most int) (removed int, err error) {
	if due, err := s.due(ctx, before, (*sqlcgen.Queries).HasOldAuditEvents); err != nil || !due {
		return 0, err
	}
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) (err error) {
		rows, err := writer.QueryContext(ctx, "CALL remove_old_audit_events(?, ?)", before, most)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			if err := rows.Scan(&removed); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return removed, err
}
