// Package runner is the life of a process: its parts start in the order in which they were added and end in the reverse
// order, so that what serves requests is drained before what it needs is closed.
//
// It also serves the admin port with /livez, /readyz and /metrics.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Part is one thing that runs for as long as the process: a database pool, a broker connection, a server.
type Part struct {
	Name string
	// Run works until ctx ends, then finishes what it has begun and returns nil. It ends at the latest when the
	// process's shutdown time is over. An earlier return, with or without an error, ends the process.
	Run func(ctx context.Context) error
	// Ready says whether the process can serve, as far as this part goes. nil stands for always.
	Ready func() error
	// Healthy says whether the part is whole. What is not whole is reported by /readyz, but the process stays ready: it
	// answers with less, and that is better than not at all. nil stands for always.
	Healthy func() error
}

// Runner holds the parts of one process.
type Runner struct {
	log             *slog.Logger
	shutdownTimeout time.Duration
	parts           []Part
	stopping        atomic.Bool
}

// New returns a runner without parts. shutdownTimeout bounds the whole shutdown.
func New(log *slog.Logger, shutdownTimeout time.Duration) *Runner {
	return &Runner{log: log, shutdownTimeout: shutdownTimeout}
}

// Add appends a part. It must not be called once Run has been.
func (r *Runner) Add(part Part) { r.parts = append(r.parts, part) }

// Ready returns nil when every part is ready, else what is missing. During shutdown it is never ready, so that load
// balancers turn away before the listener closes.
func (r *Runner) Ready() error {
	if r.stopping.Load() {
		return errors.New("shutting down")
	}
	return r.ask(func(part Part) func() error { return part.Ready })
}

// Healthy returns nil when every part is whole, else what is not.
func (r *Runner) Healthy() error {
	return r.ask(func(part Part) func() error { return part.Healthy })
}

func (r *Runner) ask(question func(Part) func() error) error {
	var answers []error
	for _, part := range r.parts {
		check := question(part)
		if check == nil {
			continue
		}
		if err := check(); err != nil {
			answers = append(answers, fmt.Errorf("%s: %w", part.Name, err))
		}
	}
	return errors.Join(answers...)
}

type running struct {
	name string
	stop context.CancelFunc
	done chan error
}

// Run starts every part and blocks until ctx ends or a part returns by itself; then it ends the parts in reverse order.
// It returns nil after an orderly shutdown.
func (r *Runner) Run(ctx context.Context) error {
	failed := make(chan error, len(r.parts))
	started := make([]running, 0, len(r.parts))
	for _, part := range r.parts {
		// Each part has a context of its own: the end of ctx must not reach the database before the traffic is drained.
		partCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		current := running{name: part.Name, stop: stop, done: make(chan error, 1)}
		go func() {
			err := part.Run(partCtx)
			if partCtx.Err() == nil {
				failed <- fmt.Errorf("%s ended: %w", part.Name, cmpErr(err, errors.New("without an error")))
			}
			current.done <- err
		}()
		started = append(started, current)
	}
	var cause error
	select {
	case <-ctx.Done():
		r.log.Info("shutting down")
	case cause = <-failed:
		r.log.Error("a part ended; shutting down", "error", cause)
	}
	r.stopping.Store(true)
	return errors.Join(cause, r.stop(started))
}

func (r *Runner) stop(started []running) error {
	deadline := time.NewTimer(r.shutdownTimeout)
	defer deadline.Stop()
	var problems []error
	for i := len(started) - 1; i >= 0; i-- {
		part := started[i]
		part.stop()
		select {
		case err := <-part.done:
			if err != nil && !errors.Is(err, context.Canceled) {
				problems = append(problems, fmt.Errorf("stop %s: %w", part.name, err))
			}
		case <-deadline.C:
			return errors.Join(append(problems, fmt.Errorf("stop %s: not done within %s", part.name, r.shutdownTimeout))...)
		}
	}
	return errors.Join(problems...)
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
