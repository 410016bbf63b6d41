package native

import (
	"context"
	"errors"
	"slices"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/proc"
)

// Down ends what Up started, and waits for each process. A process ends after those that use it.
func (r *Runner) Down(ctx context.Context) error {
	var problems []error
	for _, part := range r.services() {
		migrating, err := proc.Find(part.migration())
		problems = append(problems, err, migrating.Stop(ctx))
	}
	return errors.Join(append(problems, r.stop(ctx, r.parts()))...)
}

// StopServices ends the three services, and leaves the servers alone. A migration comes to its end before. stopped is false if no service
// was meant to run.
func (r *Runner) StopServices(ctx context.Context) (stopped bool, err error) {
	for _, part := range r.services() {
		if err := r.awaitMigration(ctx, part); err != nil {
			return false, err
		}
	}
	r.stopped = map[string]proc.Command{}
	for _, part := range r.services() {
		command, known, err := lastCommand(part)
		if err != nil {
			return false, err
		}
		if known {
			command.Restarts = 0
			r.stopped[part.name] = command
		}
	}
	return len(r.stopped) > 0, r.stop(ctx, r.services())
}

// StartServices starts what StopServices ended, as it was before, and returns when it is ready. What was built since, or chosen by a start
// that failed, does not count.
func (r *Runner) StartServices(ctx context.Context) error { return r.startServices(ctx, r.stopped) }

// stop ends those of the parts that run. A record of a part that has ended by itself is removed, so that nobody starts the part again.
func (r *Runner) stop(ctx context.Context, parts []part) error {
	running, err := r.Running()
	if err != nil {
		return err
	}
	if len(running) == 0 {
		r.say("nothing runs")
	}
	// Parts stop in reverse order. A primary that stops waits for the replica that reads from it, so the replica must stop first,
	// whichever of the two servers it is.
	if primary, err := dbpair.RecordedPrimary(r.pairDir()); err == nil && parts[0].name == "primary" && primary != "primary" {
		parts[0], parts[1] = parts[1], parts[0]
	}
	slices.Reverse(parts)
	var problems []error
	for _, part := range parts {
		process := running[part.name]
		if process == nil {
			problems = append(problems, proc.Forget(part.record))
			continue
		}
		r.say("stopping %s", part.name)
		problems = append(problems, proc.EndOthers(ctx, part.record, process), process.Stop(ctx))
	}
	return errors.Join(problems...)
}
