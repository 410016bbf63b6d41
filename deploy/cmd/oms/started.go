package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"oms.internal/libs/drf"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/backup"
	"oms.internal/deploy/internal/native"
	"oms.internal/deploy/internal/poc"
	"oms.internal/deploy/internal/replication"
	"oms.internal/deploy/internal/requestlog"
	"oms.internal/deploy/internal/stack"
)

// started is a stack that has been started, with the ports and the settings of that start.
type started struct {
	app
	runner runner
	mode   stack.Mode
}

// onStarted makes a command that works with the stack as it was started last.
func onStarted(do func(started, context.Context, options) error) func(app, context.Context, options) error {
	return func(a app, ctx context.Context, options options) error {
		s, err := a.recorded(ctx)
		if err != nil {
			return err
		}
		return do(s, ctx, options)
	}
}

// onRunning makes a command that needs the stack to run. Without it, the command would wait for servers that nobody has started.
func onRunning(do func(started, context.Context, options) error) func(app, context.Context, options) error {
	return onStarted(func(s started, ctx context.Context, options options) error {
		runs, err := s.runner.Runs(ctx)
		if err != nil {
			return err
		}
		if !runs {
			return errNotRunning
		}
		return do(s, ctx, options)
	})
}

func (s started) ps(ctx context.Context, _ options) error { return s.runner.PS(ctx) }

func (s started) logs(ctx context.Context, options options) error {
	if options.request != "" {
		lines := requestlog.Of(options.request)
		if err := s.runner.ServiceLogs(ctx, lines.Read); err != nil {
			return err
		}
		return lines.Show(s.out)
	}
	service := ""
	if len(options.names) > 0 {
		service = options.names[0]
	}
	return s.runner.Logs(ctx, service, options.follow)
}

func (s started) supervise(ctx context.Context, _ options) error {
	if s.mode != stack.Native {
		return errors.New("supervise: the container engine starts containers again")
	}
	return native.New(s.stack, s.out).Supervise(ctx)
}

func (s started) replication(ctx context.Context, _ options) error {
	return replication.Report(ctx, s.stack, s.out)
}

func (s started) poc(ctx context.Context, _ options) error { return poc.Run(ctx, s.stack, s.out) }

func (s started) admin(ctx context.Context, options options) error {
	if options.email == "" {
		return errors.New("admin: the email is missing: EMAIL=… with make, or --email")
	}
	return s.runner.Admin(ctx, options.email)
}

func (s started) keys(ctx context.Context, options options) error {
	if len(options.names) != 1 || options.names[0] != "rotate" {
		return errors.New("keys: the only command is: oms keys rotate")
	}
	return s.runner.RotateKeys(ctx)
}

// importDRF goes on with the orders of members that were taken where others were not.
func (s started) importDRF(ctx context.Context, options options) error {
	if options.file == "" {
		return fmt.Errorf("import-drf: %w", errNoFile)
	}
	file, err := filepath.Abs(options.file)
	if err != nil {
		return err
	}
	var incomplete error
	for _, service := range []string{"accounts", "orders"} {
		err := s.runner.Import(ctx, service, file, options.dryRun)
		if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.ExitCode() == drf.Incomplete {
			incomplete = errors.New("some rows were not taken; each is named above with its reason")
		} else if err != nil {
			return err
		}
	}
	return incomplete
}

func (s started) failover(ctx context.Context, options options) error {
	pair, err := s.runner.Pair(ctx)
	if err != nil {
		return err
	}
	promote := pair.Failover
	if options.force.data {
		promote = pair.ForceFailover
	}
	if err := promote(ctx); err != nil {
		return err
	}
	both, err := pair.Replica.Running()
	awaitReady(ctx, services(s.stack.Ports, both && err == nil), s.report)
	return nil
}

func (s started) rejoin(ctx context.Context, _ options) error {
	pair, err := s.runner.Pair(ctx)
	if err != nil {
		return err
	}
	if err := pair.Rejoin(ctx); err != nil {
		return err
	}
	awaitReady(ctx, services(s.stack.Ports, true), s.report)
	return nil
}

var errNoFile = errors.New("the file is missing: FILE=… or --file")

// backupCheck works without a stack, because a backup is worth something only if it can be verified where nothing runs.
func (a app) backupCheck(ctx context.Context, options options) error {
	if options.file == "" {
		return fmt.Errorf("backup-check: %w", errNoFile)
	}
	return backup.Check(ctx, options.file, a.out)
}

func (s started) backup(ctx context.Context, options options) error {
	unlock, err := s.stack.LockData("make backup", time.Now())
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer unlock()
	pair, err := s.pairFor(ctx, options.file)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return backup.Write(ctx, pair, options.file, s.out)
}

func (s started) restore(ctx context.Context, options options) error {
	unlock, err := s.stack.LockData("make restore", time.Now())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer unlock()
	pair, err := s.pairFor(ctx, options.file)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	services := &stopping{Services: s.runner, app: s.app, unlock: func() {}}
	defer func() { services.unlock() }()
	insists := backup.Insists{Data: options.force.data, Unsealed: options.force.unsealed}
	return backup.Restore(ctx, pair, services, options.file, insists, s.out)
}

// stopping keeps the supervisor from starting processes once a restore ends the services. Until then, which may be hours, the supervisor
// starts again what crashes.
type stopping struct {
	backup.Services

	app    app
	unlock func()
}

func (s *stopping) StopServices(ctx context.Context) (stopped bool, err error) {
	unlock, err := s.app.stack.AwaitProcesses(ctx, "make restore", s.app.report)
	if err != nil {
		return false, err
	}
	s.unlock = unlock
	return s.Services.StopServices(ctx)
}

// pairFor returns the database servers in the roles that they have now, for a command that needs a file.
func (s started) pairFor(ctx context.Context, file string) (*dbpair.Pair, error) {
	if file == "" {
		return nil, errNoFile
	}
	pair, err := s.runner.Pair(ctx)
	if err != nil {
		return nil, err
	}
	return pair, pair.Orient(ctx)
}
