package native

import (
	"context"
	"errors"
	"slices"
	"time"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/proc"
)

// stopTimeout is how long a process may take to end: a service drains for up to 10 s, a database writes what it holds.
const stopTimeout = time.Minute

// Down ends what Up started, each process after those that use it, and waits for each.
func (r *Runner) Down(ctx context.Context) error {
	return r.stop(ctx, func(part) bool { return true })
}

// StopServices ends the three services that run, and leaves the servers alone. It says whether there were any.
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
	parts := r.parts(r.stack.Ports)
	// A primary that ends waits for a replica that reads from it; so the replica goes first, whichever it is.
	if primary, err := dbpair.RecordedPrimary(r.pairDir()); err == nil && parts[0].name != primary {
		parts[0], parts[1] = parts[1], parts[0]
	}
	slices.Reverse(parts)
	var problems []error
	for _, part := range parts {
		if process := running[part.name]; process != nil && chosen(part) {
			r.say("stopping %s", part.name)
			problems = append(problems, stop(ctx, process))
		}
	}
	if len(running) == 0 {
		r.say("nothing runs")
	}
	return errors.Join(problems...)
}

func stop(ctx context.Context, process *proc.Process) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return process.Stop(ctx)
}
