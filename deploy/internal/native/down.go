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
	return r.stop(ctx, func(part) bool { return true })
}

// StopServices ends the three services, and leaves the servers alone. stopped is false if no service ran.
func (r *Runner) StopServices(ctx context.Context) (stopped bool, err error) {
	err = r.stop(ctx, func(one part) bool {
		service := one.ready != ""
		stopped = stopped || service
		return service
	})
	return stopped, err
}

// stop ends those of the running processes that are chosen.
func (r *Runner) stop(ctx context.Context, chosen func(part) bool) error {
	running, err := r.Running()
	if err != nil {
		return err
	}
	if len(running) == 0 {
		r.say("nothing runs")
	}
	parts := r.parts()
	// Parts stop in reverse order. A primary that stops waits for the replica that reads from it, so the replica must stop first,
	// whichever of the two servers it is.
	if primary, err := dbpair.RecordedPrimary(r.pairDir()); err == nil && parts[0].name != primary {
		parts[0], parts[1] = parts[1], parts[0]
	}
	slices.Reverse(parts)
	var problems []error
	for _, part := range parts {
		if process := running[part.name]; process != nil && chosen(part) {
			r.say("stopping %s", part.name)
			problems = append(problems, proc.EndOthers(ctx, part.record, process), process.Stop(ctx))
		}
	}
	return errors.Join(problems...)
}
