package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/backup"
	"oms.internal/deploy/internal/container"
	"oms.internal/deploy/internal/native"
	"oms.internal/deploy/internal/stack"
)

// runner is what both modes can do.
type runner interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	Runs(ctx context.Context) (bool, error)
	PS(ctx context.Context) error
	Logs(ctx context.Context, service string, follow bool) error
	ServiceLogs(ctx context.Context, read func(log io.Reader) error) error
	Admin(ctx context.Context, email string) error
	RotateKeys(ctx context.Context) error
	// Import has a service import from the database of drf-oms that a file names. The error bears the exit code of its command.
	Import(ctx context.Context, service, sourceFile string, dryRun bool) error
	Pair(ctx context.Context) (*dbpair.Pair, error)
	backup.Services
}

func (a app) runner(mode stack.Mode) runner {
	if mode == stack.Docker {
		return container.New(a.stack, a.out)
	}
	return native.New(a.stack, a.out).Supervised(a.program)
}

var (
	errNotStarted = errors.New("nothing has been started here; `make up` starts the system")
	errNotRunning = errors.New("nothing runs; `make up` starts the system")
)

// recorded returns the stack as it was started last. The environment may ask for other ports and settings now. Where no record says how
// it was started, what runs is found nevertheless, and the environment says the ports.
func (a app) recorded(ctx context.Context) (started, error) {
	record, found, damage := a.stack.Recorded()
	if !found {
		for _, mode := range []stack.Mode{stack.Native, stack.Docker} {
			runner := a.runner(mode)
			runs, err := runner.Runs(ctx)
			if err != nil {
				return started{}, err
			}
			if runs {
				a.report("Nothing says with which ports and settings the stack was started, so those of the environment count. " +
					"`make up` writes it anew.")
				return started{app: a, runner: runner, mode: mode}, nil
			}
		}
		if damage != nil {
			return started{}, fmt.Errorf("%w. How it was started last cannot be read: %w", errNotStarted, damage)
		}
		return started{}, errNotStarted
	}
	a.stack.Ports, a.stack.Choices = record.Ports, record.Choices
	return started{app: a, runner: a.runner(record.Mode), mode: record.Mode}, nil
}

func (a app) up(ctx context.Context, options options) error {
	last, err := a.recorded(ctx)
	if err != nil && !errors.Is(err, errNotStarted) {
		return err
	}
	mode, err := stack.ChooseMode(options.mode, last.mode, func() bool { return container.Available(ctx) })
	if err != nil {
		return err
	}
	if last.mode != "" && last.mode != mode {
		if err := last.leave(ctx); err != nil {
			return err
		}
	}
	if len(a.kept) > 0 {
		a.report("as at the last start: " + strings.Join(a.kept, " ") + " (an empty variable chooses its default)")
	}
	runner := a.runner(mode)
	if err := runner.Up(ctx); err != nil {
		return err
	}
	a.tidy(ctx, runner)
	_, err = fmt.Fprintf(a.out, "OMS runs (%s): %s://localhost:%d\n", mode, a.stack.Choices.Scheme(), a.stack.Ports.Gateway)
	return err
}

// tidy removes what an interrupted restore left. The system runs without that, too.
func (a app) tidy(ctx context.Context, runner runner) {
	pair, err := runner.Pair(ctx)
	if err == nil {
		err = pair.Orient(ctx)
	}
	if err == nil {
		err = backup.Tidy(ctx, pair, a.report)
	}
	if err != nil {
		a.report("whether a restore was interrupted could not be seen: " + err.Error())
	}
}

// leave says that the data of this mode stays unused. It fails if the stack still runs in this mode, because both use the same ports.
func (s started) leave(ctx context.Context) error {
	runs, err := s.runner.Runs(ctx)
	if err != nil {
		return err
	}
	if runs {
		return fmt.Errorf("the stack already runs in mode %s: `make down` first, or keep MODE=%s", s.mode, s.mode)
	}
	s.report(fmt.Sprintf("each mode has its own data: this start does not show that of mode %s (`MODE=%s make up` does)", s.mode, s.mode))
	return nil
}

func (a app) down(ctx context.Context, _ options) error {
	before, err := a.recorded(ctx)
	if errors.Is(err, errNotStarted) {
		a.report("nothing runs")
		return nil
	}
	if err != nil {
		return err
	}
	return before.runner.Down(ctx)
}

// clean ends both modes and removes the data of both, because it removes the secrets, which both use.
func (a app) clean(ctx context.Context, _ options) error {
	if err := native.New(a.stack, a.out).Supervised(a.program).Down(ctx); err != nil {
		return err
	}
	if container.Available(ctx) {
		if err := container.New(a.stack, a.out).Clean(ctx); err != nil {
			return err
		}
	}
	return a.stack.Clean()
}
