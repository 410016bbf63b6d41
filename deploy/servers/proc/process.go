// Package proc starts, finds and ends processes on this machine. A process either dies with the one that started it, however that
// ends, or is detached: then a record file remembers it, and later commands find it. A process is only ever signalled if its pid
// and its start time are those of the record, so that no stranger with a reused pid is hit. The environment of a detached process
// names the record, too. So on Linux it is also found without the record.
//
// The package also holds what the owners of processes need: a free port, a wait until a server answers, and a cleaner that works
// after a crash. It knows nothing about databases or NATS.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command describes a process to start.
type Command struct {
	Name string   `json:"name"` // shown in errors, such as "primary"
	Path string   `json:"path"`
	Args []string `json:"args,omitempty"`
	Env  []string `json:"env,omitempty"` // the whole environment; nothing is inherited. It is recorded, so it holds no secret
	Dir  string   `json:"dir,omitempty"`
	Log  string   `json:"log"` // file that standard output and error are appended to

	// Record is the file that remembers a detached process. It is empty for a process that dies with this one.
	Record string `json:"record"`
	// Fingerprint stands for the program and its settings. It is kept in the record, so that Ensure sees whether a process that
	// runs is the one that would be started now.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Restarts is how often the process was started again since somebody wanted it started, because it had ended by itself.
	Restarts int `json:"restarts,omitempty"`
}

// Process is a process that Start started, or that Find found from its record. A nil Process is one that does not run: it is not
// alive, and there is nothing to end.
type Process struct {
	command  Command
	handle   *os.Process
	identity string
	started  time.Time     // zero if only the kernel knows
	logged   int           // how long the log was when this process was started from here; 0 of a process that was found
	exited   chan struct{} // closed at the end of our own child; nil for a process that was found
	result   error         // of our own child, once it has exited
	ending   bool          // somebody has asked it to end
}

// Start runs the command and writes its record. Without a record the kernel kills the process when this process ends; with one the process has a
// session of its own and lives on.
func Start(command Command) (*Process, error) {
	process, err := start(command)
	if err != nil {
		return nil, err
	}
	if err := process.writeRecord(); err != nil {
		return nil, errors.Join(err, process.Kill())
	}
	return process, nil
}

func start(command Command) (*Process, error) {
	log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	defer log.Close() //nolint:errcheck // nothing is written through this handle
	before, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	cmd := exec.Command(command.Path, command.Args...) // #nosec G204 -- starting programs is this package's task
	cmd.Dir, cmd.Stdout, cmd.Stderr = command.Dir, log, log
	if cmd.Env, err = command.marked(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	if command.Record == "" {
		err = startBound(cmd)
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	process := &Process{
		command: command, handle: cmd.Process, started: time.Now(), logged: int(before.Size()), exited: make(chan struct{}),
	}
	// The identity is read before the child can be reaped, so it cannot be a stranger's.
	process.identity, _ = processIdentity(cmd.Process.Pid)
	go func() {
		process.result = cmd.Wait()
		close(process.exited)
	}()
	return process, nil
}

// Ensure returns the process that the command's record names if it runs with the command's fingerprint. Otherwise it stops that
// process and starts the command; replaced is true if there was one to stop. A process that an interrupted command has asked to end is
// waited for, and the command is started anew. Ensure also ends what an interrupted command started for the
// same record. A command without a record is always started.
func Ensure(ctx context.Context, command Command) (process *Process, replaced bool, err error) {
	if command.Record != "" {
		running, err := Find(command.Record)
		if err != nil {
			return nil, false, err
		}
		if err := EndOthers(ctx, command.Record, running); err != nil {
			return nil, false, err
		}
		if running.goesOnAs(command) {
			return running, false, running.remember()
		}
		if err := running.Stop(ctx); err != nil {
			return nil, false, err
		}
		replaced = running != nil
	}
	process, err = Start(command)
	return process, replaced, err
}

// Replace is Ensure for a process that can run beside its successor. The one that runs is ended only when ready has returned nil for
// the new one. If ready fails, the new one is told to end, because it may be in the midst of something, and the old one stays as it was.
// With hangs, one that runs as the command says is replaced, too.
func Replace(ctx context.Context, command Command, hangs bool, ready func(*Process) error) (process *Process, replaced bool, err error) {
	running, err := Find(command.Record)
	if err != nil {
		return nil, false, err
	}
	if running == nil || running.goesOnAs(command) && !hangs {
		if process, _, err = Ensure(ctx, command); err == nil {
			err = ready(process)
		}
		return process, false, err
	}
	if err := EndOthers(ctx, command.Record, running); err != nil {
		return nil, false, err
	}
	next, err := start(command)
	if err != nil {
		return nil, false, err
	}
	if err := ready(next); err != nil {
		return nil, false, errors.Join(fmt.Errorf("%w\n%s still runs as before", err, command.Name), next.Stop(context.WithoutCancel(ctx)))
	}
	if err := next.writeRecord(); err != nil {
		return nil, false, errors.Join(err, next.Kill())
	}
	return next, true, running.Stop(ctx)
}

// goesOnAs reports whether a process is what the command would start, and nobody has asked it to end.
func (p *Process) goesOnAs(command Command) bool {
	return p != nil && !p.ending && p.Fingerprint() == command.Fingerprint
}

// Setting returns a setting from the environment that the process was started with.
func (p *Process) Setting(name string) string {
	for _, entry := range p.command.Env {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// PID is the process's number.
func (p *Process) PID() int { return p.handle.Pid }

// Command is what the process was started with.
func (p *Process) Command() Command { return p.command }

// Fingerprint is the fingerprint of the command that the process was started with.
func (p *Process) Fingerprint() string { return p.command.Fingerprint }

// Restarts is how often the process was started again since somebody wanted it started.
func (p *Process) Restarts() int { return p.command.Restarts }

// Started is when the process was started, or zero if that is not known.
func (p *Process) Started() time.Time { return p.started }

// Alive reports whether the process still runs. A process that has ended is not alive, even if its parent has not yet asked for
// its status.
func (p *Process) Alive() bool {
	if p == nil {
		return false
	}
	if p.exited != nil {
		select {
		case <-p.exited:
			return false
		default:
			return true
		}
	}
	identity, err := processIdentity(p.PID())
	return err == nil && identity == p.identity
}

// Result is how a process ended that this process started: nil if it succeeded, or still runs. Of others, nobody here knows.
func (p *Process) Result() error {
	if p.exited == nil || p.Alive() {
		return nil
	}
	return p.result
}

// Running is Alive for the interface Instance. It never fails.
func (p *Process) Running() (bool, error) { return p.Alive(), nil }

// Tail returns the last lines of the process's log. Those from before its start are not among them, unless the process was found, or the
// log was rotated since.
func (p *Process) Tail(lines int) []byte {
	if p == nil {
		return nil
	}
	if text, err := os.ReadFile(p.command.Log); err == nil && p.logged > 0 && p.logged <= len(text) {
		return LastLines(text[p.logged:], lines)
	}
	last, err := LastOfLog(p.command.Log, lines)
	if err != nil {
		return nil
	}
	return last
}

// signalTimeout is how long the kernel may take to stop or kill a process.
const signalTimeout = 10 * time.Second

// Pause makes the process hang: it keeps what it has open, and does nothing. Pause returns when no thread runs any more. That is
// later than the signal: on a busy machine a server can answer a request or two in between.
func (p *Process) Pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), signalTimeout)
	defer cancel()
	err := Poll(ctx, func() error {
		if !p.Alive() {
			return nil
		}
		return threadsStopped(p.PID())
	})
	if err != nil {
		return fmt.Errorf("%s still runs after SIGSTOP: %w", p.command.Name, err)
	}
	return nil
}

// Continue ends a pause.
func (p *Process) Continue() error { return p.signal(syscall.SIGCONT) }

// signal sends a signal, if the process still runs.
func (p *Process) signal(signal os.Signal) error {
	if !p.Alive() {
		return nil
	}
	if err := p.handle.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.command.Name, err)
	}
	return nil
}
