package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
)

const (
	primaryWait   = 500 * time.Millisecond
	migrationLock = "oms-migrate"
	turnSeconds   = 60 // how long one process waits for another's migrations
)

// Migrate applies to the primary all migrations in files that it does not have. Several processes may do so at once;
// they take turns. While no primary answers it waits, until ctx ends.
func Migrate(ctx context.Context, config Config, files fs.FS, log *slog.Logger) (err error) {
	db, err := awaitPrimary(ctx, config, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// The lock belongs to this connection and goes with it.
	defer func() { err = errors.Join(err, lock.Close()) }()
	var granted sql.NullBool
	// Names of locks are global to the server, so the schema's name is part of it.
	if err := lock.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", migrationLock+"-"+config.Database, turnSeconds).Scan(&granted); err != nil {
		return fmt.Errorf("migrate: lock: %w", err)
	}
	if !granted.Bool {
		return fmt.Errorf("migrate: another process has been migrating for %d s", turnSeconds)
	}
	defer func() {
		_, unlockErr := lock.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(?)", migrationLock+"-"+config.Database)
		err = errors.Join(err, unlockErr)
	}()
	provider, err := goose.NewProvider(goose.DialectMySQL, db, files)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	for _, result := range results {
		log.Info("migrated", "database", config.Database, "migration", result.Source.Path, "duration", result.Duration)
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// awaitPrimary returns a pool on the first server that is writable. Its statements end with their context only: a
// migration takes as long as it takes.
func awaitPrimary(ctx context.Context, config Config, log *slog.Logger) (*sql.DB, error) {
	for {
		var problems []error
		for _, addr := range config.Hosts {
			db, err := openHost(config, addr, 0)
			if err != nil {
				return nil, err
			}
			err = checkWritable(ctx, db)
			if err == nil {
				return db, nil
			}
			problems = append(problems, fmt.Errorf("%s: %w", addr, errors.Join(err, db.Close())))
		}
		log.Info("waiting for a writable database server", "error", errors.Join(problems...))
		if err := pause(ctx, primaryWait); err != nil {
			return nil, fmt.Errorf("migrate: %w", errors.Join(append(problems, err)...))
		}
	}
}

func checkWritable(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	var readOnly bool
	if err := db.QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly); err != nil {
		return err
	}
	if readOnly {
		return errors.New("read-only")
	}
	return nil
}
