package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// options are the flags of all commands. Each command reads those that it needs.
type options struct {
	mode    string
	email   string
	file    string
	force   force
	follow  bool
	request string
	dryRun  bool
	names   []string
}

// errUsage says that the mistake was already printed, with the usage.
var errUsage = errors.New("usage")

// command is one of the program's commands.
type command struct {
	name string
	help string
	run  func(a app, ctx context.Context, options options) error
}

// shared are the commands that work beside any other one: they change nothing in the data folder (admin waits for a human at a prompt, too).
// Of all others one works at a time. A backup is shared so that it keeps nobody from a failover: if its server is lost, it fails.
var shared = []string{"ps", "logs", "replication", "poc", "admin", "import-drf", "setup", "backup", "backup-check", "supervise"}

// processes are the commands that start and end processes, so that the supervisor must not. So does a restore, but only at its end.
var processes = []string{"up", "down", "clean", "failover", "rejoin"}

func commands() []command {
	return []command{
		{"up", "start everything and wait until it is ready (--mode docker|native|auto, or MODE; auto keeps the mode of the last start)", app.up},
		{"down", "end what up started; the data stays", app.down},
		{"clean", "down, and remove data, logs, secrets and binaries", app.clean},
		{"ps", "show what runs", onStarted(started.ps)},
		{"logs", "show the last lines of the logs ([service], --follow), or one request's (--request, or REQUEST)", onStarted(started.logs)},
		{"replication", "compare the two database servers", onStarted(started.replication)},
		{"failover", "make the replica the primary; the old primary, if it answers, becomes the replica (--force, or FORCE=1, " +
			"even if the replica lacks writes)", onStarted(started.failover)},
		{"rejoin", "make the server that is not the primary its replica again", onStarted(started.rejoin)},
		{"backup", "write all data, as it is at one moment, into a file (--file, or FILE)", onRunning(started.backup)},
		{"backup-check", "verify a backup and show what is in it, without a running system (--file, or FILE)", app.backupCheck},
		{"restore", "replace all data with a backup's (--file, or FILE; --force, or FORCE=1, if there is data; " +
			"--force=unsealed, or FORCE=unsealed, if the file does not show whether it is whole)", onRunning(started.restore)},
		{"poc", "walk through the running system", onRunning(started.poc)},
		{"admin", "create an admin, or make a member one (--email)", onRunning(started.admin)},
		{"keys", "sign tokens with a new key (rotate)", onRunning(started.keys)},
		{"import-drf", "bring members, sessions and orders from the database of drf-oms that a file names (--file, or FILE; --dry-run, or DRY_RUN=1)",
			onRunning(started.importDRF)},
		{"supervise", "start native processes again that end by themselves; `up` starts it", onStarted(started.supervise)},
		{"setup", "install what tests and the native stack need: MariaDB's packages, nats-server", app.setup},
		{"secrets", "make the secrets that do not exist yet", app.secrets},
	}
}

// app is what every command works with.
type app struct {
	stack   stack.Stack
	kept    []string // what is as at the last start, because the environment says nothing
	out     io.Writer
	program string // this program's file, which native stacks run as their supervisor; "" for no supervisor
}

func run(ctx context.Context, program string, arguments []string, lookup stack.Lookup, out io.Writer) error {
	getenv := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	flags := flag.NewFlagSet("oms", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		_, _ = fmt.Fprintln(out, "oms COMMAND [flags]")
		for _, command := range commands() {
			_, _ = fmt.Fprintf(out, "  %-13s %s\n", command.name, command.help)
		}
	}
	var chosen options
	flags.StringVar(&chosen.mode, "mode", getenv("MODE"), "docker, native or auto")
	flags.StringVar(&chosen.email, "email", "", "email address of the admin")
	flags.StringVar(&chosen.file, "file", getenv("FILE"), "file of the backup, or with the source of an import: user:password@tcp(host:3306)/database")
	forceErr := chosen.force.Set(getenv("FORCE"))
	flags.Var(&chosen.force, "force", "go on even if that removes data (restore) or loses writes (failover); "+
		"=unsealed: even if the file does not show whether it is whole; =1,unsealed for both")
	flags.StringVar(&chosen.request, "request", getenv("REQUEST"), "id of a request, to show its lines in the logs of all services")
	flags.BoolVar(&chosen.dryRun, "dry-run", getenv("DRY_RUN") == "1", "say what would be imported, and change nothing")
	flags.BoolVar(&chosen.follow, "follow", false, "go on showing what is added")
	if len(arguments) == 0 {
		flags.Usage()
		return errUsage
	}
	if err := flags.Parse(arguments[1:]); err != nil {
		return errUsage // the flag package has printed the mistake
	}
	if forceErr != nil {
		return fmt.Errorf("FORCE: %w", forceErr)
	}
	chosen.names = flags.Args()
	for _, command := range commands() {
		if command.name == arguments[0] {
			s, err := stack.Find(lookup)
			if err != nil {
				return err
			}
			if !slices.Contains(shared, command.name) {
				unlock, err := s.Lock("make "+command.name, time.Now())
				if err != nil {
					return fmt.Errorf("%s: %w", command.name, err)
				}
				defer unlock()
			}
			if slices.Contains(processes, command.name) {
				unlock, err := s.AwaitProcesses(ctx, "make "+command.name, func(step string) { _, _ = fmt.Fprintln(out, step) })
				if err != nil {
					return fmt.Errorf("%s: %w", command.name, err)
				}
				defer unlock()
			}
			return command.run(app{stack: s, kept: s.Kept(lookup), out: out, program: program}, ctx, chosen)
		}
	}
	flags.Usage()
	return errUsage
}

// report prints a step of a command.
func (a app) report(step string) { _, _ = fmt.Fprintln(a.out, step) }

func (a app) setup(ctx context.Context, _ options) error {
	if err := dbpair.InstallMariaDB(ctx, a.report); err != nil {
		return err
	}
	a.report("preparing nats-server (the first time, that takes a minute or two)")
	_, err := natsserver.Build(ctx, filepath.Join(a.stack.Root, "deploy", "servers"))
	return err
}

func (a app) secrets(_ context.Context, _ options) error {
	return secret.Ensure(a.stack.Secrets(), time.Now())
}
