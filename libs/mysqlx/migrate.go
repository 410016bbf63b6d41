package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

const (
	primaryWait   = 500 * time.Millisecond
	migrationLock = "oms-migrate"
	turnSeconds   = 60 // how long one process waits for another's migrations
)

// Migrate applies to the primary all migrations in files that it does not have. Several processes may migrate at once: they take turns. A
// process of an earlier release, whose migrations are all there, waits for no later one.
// Then it runs the steps, with the rights of the user that migrates; a step must be short and repeatable, since every process runs it. While no
// primary answers, Migrate waits until ctx ends.
func Migrate(
	ctx context.Context, config Config, files fs.FS, log *slog.Logger, steps ...func(context.Context, *sql.DB, *slog.Logger) error,
) (err error) {
	db, err := awaitPrimary(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := apply(ctx, db, config.Database, files, log); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, step := range steps {
		if err := step(ctx, db, log); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	return nil
}

// apply applies the migrations that are missing, while no other process does.
func apply(ctx context.Context, db *sql.DB, schema string, files fs.FS, log *slog.Logger) (err error) {
	lock, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	// The lock belongs to this connection, and ends with it.
	defer func() { err = errors.Join(err, lock.Close()) }()
	provider, err := goose.NewProvider(goose.DialectMySQL, db, files)
	if err != nil {
		return err
	}
	granted, err := takeTurn(ctx, lock, schema, 0)
	if err == nil && !granted {
		// An old process that crashes while a later release migrates for long must be able to come back.
		if hasAll(ctx, db, provider.ListSources()) {
			return nil
		}
		granted, err = takeTurn(ctx, lock, schema, turnSeconds)
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !granted {
		return fmt.Errorf("another process has been migrating for more than %d s", turnSeconds)
	}
	defer func() {
		_, unlockErr := lock.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(?)", lockOf(schema))
		err = errors.Join(err, unlockErr)
	}()
	results, err := provider.Up(ctx)
	for _, result := range results {
		log.Info("migrated", "database", schema, "migration", result.Source.Path, "duration", result.Duration)
	}
	return err
}

// hasAll reports whether migrations are known to be applied. It may be called without the lock, because it only reads: goose's own questions
// make goose's table where it is missing, and fail while another process makes it.
func hasAll(ctx context.Context, db *sql.DB, migrations []*goose.Source) bool {
	store, err := database.NewStore(goose.DialectMySQL, goose.DefaultTablename)
	if err != nil {
		return false
	}
	listed, err := store.ListMigrations(ctx, db)
	if err != nil {
		return false // the table may not be there yet; what else is wrong shows when the turn has come
	}
	applied := map[int64]bool{}
	for _, each := range listed {
		applied[each.Version] = applied[each.Version] || each.IsApplied
	}
	return !slices.ContainsFunc(migrations, func(one *goose.Source) bool { return !applied[one.Version] })
}

// takeTurn takes the lock of a schema's migrations for a connection, and waits for it for so many seconds.
func takeTurn(ctx context.Context, lock *sql.Conn, schema string, seconds int) (granted bool, err error) {
	var answer sql.NullBool
	err = lock.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", lockOf(schema), seconds).Scan(&answer)
	return answer.Bool, err
}

// lockOf contains the schema's name, because the name of a lock is global to the server.
func lockOf(schema string) string { return migrationLock + "-" + schema }

// awaitPrimary returns a pool on the primary. Only their context ends its statements, because a migration may take long.
func awaitPrimary(ctx context.Context, config Config, log *slog.Logger) (*sql.DB, error) {
	asking, err := Open(config, log)
	if err != nil {
		return nil, err
	}
	defer asking.Close() //nolint:errcheck // nothing was written
	for {
		for _, host := range asking.hosts {
			host.set(askRole(ctx, host))
			raise(&asking.epoch, host.current().epoch)
		}
		found, err := asking.primary()
		if err == nil {
			return openHost(config, found.addr, 0)
		}
		log.Info("waiting for a writable database server", "error", err)
		if pauseErr := pause(ctx, primaryWait); pauseErr != nil {
			return nil, fmt.Errorf("migrate: %w", errors.Join(err, pauseErr))
		}
	}
}

// askRole is a look at a server that may not have the table heartbeat yet, because a migration creates it.
func askRole(ctx context.Context, host *host) state {
	ctx, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	var readOnly bool
	if err := host.looks.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly); err != nil {
		return state{role: unreachable, err: fmt.Errorf("%s: %w", host.addr, err)}
	}
	found := state{role: primary}
	if readOnly {
		found.role = replica
	}
	err := host.looks.QueryRowContext(ctx, "SELECT epoch FROM heartbeat WHERE id = 1").Scan(&found.epoch)
	if err != nil && !lacksSchema(err) && !errors.Is(err, sql.ErrNoRows) {
		return state{role: unreachable, err: fmt.Errorf("%s: %w", host.addr, err)}
	}
	return found
}
