// Package lifecycle is the life of a process. Its parts start in the order in which they were added, each when those
// before it are ready, so that no part accepts work that it cannot do. They end in the reverse order, so that what serves
// requests is drained before what it needs is closed.
//
// The package also serves the admin port with /livez, /readyz and /metrics. It knows no database and no broker.
package lifecycle

import (
	"cmp"
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
	// Prepare is done before Run, and the parts after this one wait for it however long it takes. An error ends the
	// process. nil stands for nothing to do.
	Prepare func(ctx context.Context) error
	// Run works until ctx ends, then finishes what it has begun and returns nil. It ends at the latest when the
	// process's shutdown time is over. An earlier return, with or without an error, ends the process.
	Run func(ctx context.Context) error
	// Usable says whether the parts after this one can do their work. They wait for that however long it takes. nil stands
	// for always.
	Usable func() error
	// Ready says whether the process can serve, as far as this part goes. The parts after this one wait for it, but no
	// longer than startPatience. nil stands for always.
	Ready func() error
	// Healthy says whether the part is whole. /readyz reports a part that is not, but the process stays ready: it answers
	// with less, and that is better than not at all. nil stands for always.
	Healthy func() error
}

const (
	// startPatience is how long the start waits for parts to become ready, for all of them together and from when they are
	// prepared and usable. Then the parts after them start anyway: they answer what they can, such as what needs no broker,
	// and refuse the rest. In an outage that is better than to answer nothing.
	startPatience = 10 * time.Second
	readyInterval = 5 * time.Millisecond
)

// Lifecycle holds the parts of one process.
type Lifecycle struct {
	log             *slog.Logger
	shutdownTimeout time.Duration
	parts           []Part
	started         atomic.Int64 // how many of the parts have started
	stopping        atomic.Bool
	ending          chan struct{} // closed when the shutdown begins
}

// New returns a lifecycle without parts. shutdownTimeout bounds the whole shutdown.
func New(log *slog.Logger, shutdownTimeout time.Duration) *Lifecycle {
	return &Lifecycle{log: log, shutdownTimeout: shutdownTimeout, ending: make(chan struct{})}
}

// Add appends parts. It must not be called once Run has been.
func (l *Lifecycle) Add(parts ...Part) { l.parts = append(l.parts, parts...) }

// allReady returns a part that lets those after it start only when all before it are ready, however long that takes. It is for a
// process that takes the place of one that still serves.
func (l *Lifecycle) allReady() Part {
	return Part{
		Name: "place of another process",
		Usable: func() error {
			return ask(l.parts[:l.started.Load()], func(part Part) func() error { return part.Ready })
		},
		Run: func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		},
	}
}

// Ready returns nil when every part has started and is ready, else what is missing. During shutdown it is never nil, so
// that load balancers turn away before the listener closes.
func (l *Lifecycle) Ready() error {
	if l.stopping.Load() {
		return errors.New("shutting down")
	}
	started := l.started.Load()
	problems := []error{ask(l.parts[:started], func(part Part) func() error { return part.Ready })}
	for _, part := range l.parts[started:] {
		problems = append(problems, fmt.Errorf("%s: not started yet", part.Name))
	}
	return errors.Join(problems...)
}

// Healthy returns nil when every part that has started is whole, else what is not.
func (l *Lifecycle) Healthy() error {
	return ask(l.parts[:l.started.Load()], func(part Part) func() error { return part.Healthy })
}

func ask(parts []Part, question func(Part) func() error) error {
	var answers []error
	for _, part := range parts {
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

// Run starts the parts and blocks until ctx ends or a part returns by itself; then it ends the parts in reverse order.
// It returns nil after an orderly shutdown.
func (l *Lifecycle) Run(ctx context.Context) error {
	alive, end := context.WithCancelCause(ctx)
	defer end(nil)
	launched := l.start(alive, end)
	<-alive.Done()
	var cause error
	if ctx.Err() != nil {
		l.log.Info("shutting down")
	} else {
		cause = context.Cause(alive)
		l.log.Error("a part ended; shutting down", "error", cause)
	}
	l.stopping.Store(true)
	close(l.ending)
	return errors.Join(cause, l.stop(launched))
}

// launched is a part that runs or prepares to.
type launched struct {
	name     string
	stop     context.CancelFunc
	prepared chan struct{}
	done     chan error
}

// start starts the parts one after the other. It returns all that were launched: fewer than there are where alive ends
// meanwhile.
func (l *Lifecycle) start(alive context.Context, end context.CancelCauseFunc) []launched {
	began, patience := time.Now(), startPatience
	var all []launched
	for _, part := range l.parts {
		current := launch(alive, end, part)
		all = append(all, current)
		select {
		case <-current.prepared:
		case <-alive.Done():
			return all
		}
		l.started.Add(1)
		if !l.await(alive, current.name, "usable", part.Usable, nil) {
			return all
		}
		waited := time.Now()
		if !l.await(alive, current.name, "ready", part.Ready, time.After(patience)) {
			return all
		}
		patience -= time.Since(waited)
	}
	l.log.Info("all parts have started", "after", time.Since(began))
	return all
}

// launch runs a part in the background. It has a context of its own, because the end of alive must not reach the database
// before the traffic is drained.
func launch(alive context.Context, end context.CancelCauseFunc, part Part) launched {
	ctx, stop := context.WithCancel(context.WithoutCancel(alive))
	current := launched{name: part.Name, stop: stop, prepared: make(chan struct{}), done: make(chan error, 1)}
	go func() {
		err := prepare(ctx, part)
		if err == nil {
			close(current.prepared)
			err = part.Run(ctx)
		}
		if ctx.Err() == nil {
			cause := fmt.Errorf("%s ended: %w", part.Name, cmp.Or(err, errors.New("without an error")))
			if end(cause); context.Cause(alive) == cause { //nolint:errorlint // this very error, which Run returns
				err = nil
			}
		}
		current.done <- err
	}()
	return current
}

func prepare(ctx context.Context, part Part) error {
	if part.Prepare == nil {
		return nil
	}
	return part.Prepare(ctx)
}

// await waits until check returns nil, and goes on without it at latest. It returns false where alive ends.
func (l *Lifecycle) await(alive context.Context, part, what string, check func() error, latest <-chan time.Time) bool {
	if check == nil {
		return true
	}
	lacking := check()
	if lacking == nil {
		return true
	}
	l.log.Info("the start waits for a part", "part", part, "to_be", what, "lacking", lacking)
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	for ; lacking != nil; lacking = check() {
		select {
		case <-alive.Done():
			return false
		case <-latest:
			l.log.Warn("the start goes on without a part", "part", part, "to_be", what, "lacking", lacking)
			return true
		case <-ticker.C:
		}
	}
	return true
}

// stop ends the parts, the last one first.
func (l *Lifecycle) stop(all []launched) error {
	deadline := time.NewTimer(l.shutdownTimeout)
	defer deadline.Stop()
	var problems []error
	for i := len(all) - 1; i >= 0; i-- {
		part := all[i]
		part.stop()
		select {
		case err := <-part.done:
			if err != nil && !errors.Is(err, context.Canceled) {
				problems = append(problems, fmt.Errorf("stop %s: %w", part.name, err))
			}
		case <-deadline.C:
			for _, other := range all[:i] {
				other.stop()
			}
			return errors.Join(append(problems, fmt.Errorf("stop %s: not done within %s", part.name, l.shutdownTimeout))...)
		}
	}
	return errors.Join(problems...)
}
