package main

import (
	"context"
	"errors"
	"fmt"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/backup"
	"oms.internal/deploy/internal/container"
	"oms.internal/deploy/internal/native"
	"oms.internal/deploy/internal/stack"
)

// runner is the face that both modes have.
type runner interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	PS(ctx context.Context) error
	Logs(ctx context.Context, service string, follow bool) error
	Admin(ctx context.Context, email string) error
	RotateKeys(ctx context.Context) error
	Pair(ctx context.Context) (*dbpair.Pair, error)
	backup.Services
}

func (a app) runner(mode stack.Mode) runner {
	if mode == stack.Docker {
		return container.New(a.stack, a.out)
	}
	return native.New(a.stack, a.out)
}

var errNotStarted = errors.New("nothing has been started here; `make up` does")

// started is a stack as it was started last, which need not be what the environment says now.
type started struct {
	app
	runner runner
	mode   stack.Mode
}

func (a app) recorded() (started, error) {
	record, found, err := a.stack.Recorded()
	if err != nil {
		return started{}, err
	}
	if !found {
		return started{}, errNotStarted
	}
	a.stack.Ports, a.stack.Choices = record.Ports, record.Choices
	return started{app: a, runner: a.runner(record.Mode), mode: record.Mode}, nil
}

func (a app) up(ctx context.Context, options options) error {
	mode, err := stack.ChooseMode(options.mode, func() bool { return container.Available(ctx) })
	if err != nil {
		return err
	}
	if err := a.refuseOther(ctx, mode); err != nil {
		return err
	}
	if err := a.runner(mode).Up(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "OMS runs (%s): %s://localhost:%d\n", mode, a.stack.Choices.Scheme(), a.stack.Ports.Gateway)
	return err
}

// refuseOther fails if the stack runs in the other mode: the ports are the same, the data is not.
func (a app) refuseOther(ctx context.Context, mode stack.Mode) error {
	before, err := a.recorded()
	if errors.Is(err, errNotStarted) {
		return nil
	}
	if err != nil {
		return err
	}
	var running int
	switch other := before.runner.(type) {
	case *native.Runner:
		processes, err := other.Running()
		if err != nil {
			return err
		}
		running = len(processes)
	case *container.Runner:
		if before.mode != mode && !container.Available(ctx) {
			return nil // containers cannot run without an engine
		}
		services, err := other.Running(ctx)
		if err != nil {
			return err
		}
		running = len(services)
	}
	if before.mode != mode && running > 0 {
		return fmt.Errorf("it already runs in mode %s; `make down` first, or MODE=%s", before.mode, before.mode)
	}
	return nil
}

func (a app) down(ctx context.Context, _ options) error {
	before, err := a.recorded()
	if errors.Is(err, errNotStarted) {
		_, err = fmt.Fprintln(a.out, "nothing runs")
		return err
	}
	if err != nil {
		return err
	}
	return before.runner.Down(ctx)
}

// clean ends and removes both modes' data, whichever was used last: the secrets that it removes are those of both.
func (a app) clean(ctx context.Context, _ options) error {
	if err := native.New(a.stack, a.out).Down(ctx); err != nil {
		return err
	}
	if container.Available(ctx) {
		if err := container.New(a.stack, a.out).Clean(ctx); err != nil {
			return err
		}
	}
	return a.stack.Clean()
}

func (a app) ps(ctx context.Context, _ options) error {
	before, err := a.recorded()
	if err != nil {
		return err
	}
	return before.runner.PS(ctx)
}

func (a app) logs(ctx context.Context, options options) error {
	before, err := a.recorded()
	if err != nil {
		return err
	}
	service := ""
	if len(options.names) > 0 {
		service = options.names[0]
	}
	return before.runner.Logs(ctx, service, options.follow)
}

func (a app) admin(ctx context.Context, options options) error {
	if options.email == "" {
		return errors.New("admin: --email is missing")
	}
	before, err := a.recorded()
	if err != nil {
		return err
	}
	return before.runner.Admin(ctx, options.email)
}

func (a app) keys(ctx context.Context, options options) error {
	if len(options.names) != 1 || options.names[0] != "rotate" {
		return errors.New("keys: there is one command: oms keys rotate")
	}
	before, err := a.recorded()
	if err != nil {
		return err
	}
	return before.runner.RotateKeys(ctx)
}
