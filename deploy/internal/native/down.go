package native

import (
	"context"
	"errors"
	"slices"
	"time"

	"oms.internal/libs/devenv"
)

// stopTimeout is how long a process may take to end: a service drains for up to 10 s, a database writes what it holds.
const stopTimeout = time.Minute

// Down ends what Up started, each process after those that use it, and waits for each.
func (r *Runner) Down(ctx context.Context) error {
	running, err := r.Running()
	if err != nil {
		return err
	}
	parts := r.parts(r.stack.Ports)
	slices.Reverse(parts)
	var problems []error
	for _, part := range parts {
		if process := running[part.name]; process != nil {
			r.say("stopping %s", part.name)
			problems = append(problems, stop(ctx, process))
		}
	}
	if len(running) == 0 {
		r.say("nothing runs")
	}
	return errors.Join(problems...)
}

func stop(ctx context.Context, process *devenv.Process) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	return process.Stop(ctx)
}
