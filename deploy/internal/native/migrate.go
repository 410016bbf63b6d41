package native

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"oms.internal/servers/proc"
)

// migrateOnStart is a setting of the services that have tables.
const migrateOnStart = "MIGRATE_ON_START=true"

// migrate migrates the tables of a service before its new process starts, which has a time limit. A migration has none, and is a process
// of its own that goes on when ctx ends: the server completes a change of a table although nobody waits for it, but if then nobody notes
// that it was made, the next migration fails at it. The next start waits for the one that goes on.
func (r *Runner) migrate(ctx context.Context, part part, command proc.Command) error {
	if !slices.Contains(command.Env, migrateOnStart) {
		return nil
	}
	command.Args, command.Record, command.Fingerprint = []string{"migrate"}, part.migration(), ""
	process, err := proc.Find(command.Record)
	if err == nil && process == nil {
		process, err = proc.Start(command)
	}
	if err != nil {
		return fmt.Errorf("migrate the tables of %s: %w", part.name, err)
	}
	look, show := time.NewTicker(50*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer show.Stop()
	for began := time.Now(); process.Alive(); {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the tables of %s are still being migrated; that goes on, and the next `make up` waits for it: %w", part.name, ctx.Err())
		case <-show.C:
			r.say("migrating the tables of %s (%.0f s); %s says more", part.name, time.Since(began).Seconds(), part.log)
		case <-look.C:
		}
	}
	if err := process.Result(); err != nil {
		err = fmt.Errorf("migrate the tables of %s: %w; the end of %s:\n%s", part.name, err, part.log, process.Tail(20))
		return errors.Join(err, proc.Forget(command.Record))
	}
	return proc.Forget(command.Record)
}
