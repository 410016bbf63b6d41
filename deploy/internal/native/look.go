package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/stack"
)

// PS prints a line for each process of the stack: whether it runs, where it listens, whether it is ready. It fails if a process does
// not run or is not ready.
func (r *Runner) PS(ctx context.Context) error {
	running, err := r.Running()
	if err != nil {
		return err
	}
	databases := database.Ask(ctx, r.stack)
	var parts []stack.Part
	primary, rolesErr := dbpair.RecordedPrimary(r.pairDir())
	for _, part := range r.parts() {
		pid, state, well := "", stopped(part), false
		if process := running[part.name]; process != nil {
			as := ""
			if part.name == primary {
				as = " as the primary"
			}
			answer, err := r.ask(ctx, part.name, process, databases)
			if pid, state, well = fmt.Sprint(process.PID()), answer+as, err == nil; !well {
				state = "not ready" + as + ": " + err.Error()
			}
			state += restarts(process)
		}
		parts = append(parts, stack.Part{Name: part.name, ID: pid, Ports: part.ports, State: state, Well: well})
	}
	return errors.Join(stack.ShowParts(r.out, "PID", parts), rolesErr)
}

// ask returns what a process that runs says of itself, or why it does not.
func (r *Runner) ask(ctx context.Context, name string, process *proc.Process, databases map[string]database.Answer) (answer string, err error) {
	said, isDatabase := databases[name]
	switch {
	case process.Setting(adminAddr) != "":
		return askReady(ctx, process, 0)
	case isDatabase:
		err = said.Err
	case name == "nats":
		err = natsserver.Ping(ctx, proc.Loopback(r.stack.Ports.NATS))
	case name == r.supervisor().name:
		err = r.supervises()
	}
	return "running", err
}

// stopped says of a part that does not run whether somebody ended it.
func stopped(part part) string {
	command, started, ended, err := proc.Ended(part.record)
	if err != nil || !ended {
		return "stopped"
	}
	return "ended by itself" + stack.Restarts(started, command.Restarts)
}

// restarts says how often a process was started again.
func restarts(process *proc.Process) string {
	if process.Restarts() == 0 {
		return ""
	}
	return stack.Restarts(process.Started(), process.Restarts())
}

// Logs prints the last lines of the log of one part, or of all parts if name is empty. With follow it goes on printing until ctx ends.
func (r *Runner) Logs(ctx context.Context, name string, follow bool) error {
	var files, names []string
	for _, part := range r.parts() {
		names = append(names, part.name)
		if name != "" && part.name != name {
			continue
		}
		if _, err := os.Stat(part.log); err == nil {
			files = append(files, part.log)
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("there is no log of %q; choose one of: %s", name, strings.Join(names, ", "))
	}
	if follow {
		command := exec.CommandContext(ctx, "tail", append([]string{"-n", "50", "-F"}, files...)...) // #nosec G204 -- our own files
		command.Stdout, command.Stderr = r.out, os.Stderr
		if err := command.Run(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("show logs: %w", err)
		}
		return nil
	}
	for _, file := range files {
		const lines = 50
		last, err := proc.LastOfLog(file, lines)
		if err != nil {
			return fmt.Errorf("show logs: %w", err)
		}
		if len(files) > 1 {
			r.say("==> %s <==", file)
		}
		r.say("%s", last)
	}
	return nil
}

// ServiceLogs gives the logs of the services, with all older parts, to read.
func (r *Runner) ServiceLogs(_ context.Context, read func(log io.Reader) error) error {
	for _, part := range r.services() {
		log, err := proc.OpenLog(part.log)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(read(log), log.Close())
		}
		if err != nil {
			return fmt.Errorf("log of %s: %w", part.name, err)
		}
	}
	return nil
}

// Admin creates an admin, or makes a member one.
func (r *Runner) Admin(ctx context.Context, email string) error {
	return r.accounts(ctx, "admin", "create", email)
}

// RotateKeys lets accounts sign tokens with a new key.
func (r *Runner) RotateKeys(ctx context.Context) error { return r.accounts(ctx, "keys", "rotate") }

// Import has a service import from the database of drf-oms that a file names.
func (r *Runner) Import(ctx context.Context, service, sourceFile string, dryRun bool) error {
	return r.operate(ctx, service, "import-drf", "--source-file", sourceFile, fmt.Sprintf("--dry-run=%t", dryRun))
}

func (r *Runner) accounts(ctx context.Context, arguments ...string) error {
	return r.operate(ctx, "accounts", arguments...)
}

// operate runs a subcommand of a service's binary on this terminal, with the binary and the settings of the service.
func (r *Runner) operate(ctx context.Context, name string, arguments ...string) error {
	service, known, err := lastCommand(r.named(name))
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("%s was not started; `make up` starts it", name)
	}
	command := exec.CommandContext(ctx, service.Path, arguments...) // #nosec G204 -- our own binary; an address is one argument
	command.Env = service.Env
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, r.out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, arguments[0], err)
	}
	return nil
}
