package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"oms.internal/servers/proc"
)

// migrateOnStart is a setting of the services that have tables.
const migrateOnStart = "MIGRATE_ON_START=true"

// migrate migrates the tables of a service before its new process starts, which has a time limit. A migration has none, and is a process
// of its own that goes on when ctx ends: the server completes a change of a table although nobody waits for it, but if then nobody notes
// that it was made, the next migration fails at it.
func (r *Runner) migrate(ctx context.Context, part part, command proc.Command) error {
	if !slices.Contains(command.Env, migrateOnStart) {
		return nil
	}
	// What an earlier command began may be of another build, and nobody here knows how it ended.
	if err := r.awaitMigration(ctx, part); err != nil {
		return err
	}
	if err := os.Remove(part.migrationLog()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("migrate the tables of %s: %w", part.name, err)
	}
	command.Args, command.Log, command.Record, command.Fingerprint = []string{"migrate"}, part.migrationLog(), part.migration(), ""
	process, err := proc.Start(command)
	if err != nil {
		return fmt.Errorf("migrate the tables of %s: %w", part.name, err)
	}
	if err := r.awaitEnd(ctx, part, process); err != nil {
		return err
	}
	if err := process.Result(); err != nil {
		err = fmt.Errorf("migrate the tables of %s: %w; the end of %s:\n%s", part.name, err, command.Log, process.Tail(20))
		return errors.Join(err, proc.Forget(command.Record))
	}
	return proc.Forget(command.Record)
}

// awaitMigration waits for the end of a migration that an interrupted command has left behind, if there is one.
func (r *Runner) awaitMigration(ctx context.Context, part part) error {
	left, err := proc.Find(part.migration())
	if err != nil {
		return fmt.Errorf("migrate the tables of %s: %w", part.name, err)
	}
	if err := r.awaitEnd(ctx, part, left); err != nil {
		return err
	}
	return proc.Forget(part.migration())
}

// awaitEnd waits for the end of a migration, and says every few seconds that it does.
func (r *Runner) awaitEnd(ctx context.Context, part part, process *proc.Process) error {
	look, show := time.NewTicker(50*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer show.Stop()
	for began := time.Now(); process.Alive(); {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the tables of %s are still being migrated; that goes on, and the next `make up` waits for it: %w", part.name, ctx.Err())
		case <-show.C:
			r.say("migrating the tables of %s (%.0f s); %s says more", part.name, time.Since(began).Seconds(), part.migrationLog())
		case <-look.C:
		}
	}
	return nil
}
