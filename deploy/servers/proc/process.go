// Package proc starts and finds processes on this machine: children that die with this process, however it ends, and detached
// ones that are remembered in a record; what else their owners need (a free port, a wait until a server answers, a process that
// cleans up after a crash) is here, too.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// pollInterval is how often states that no event announces (a foreign process's end, a server's first answer) are read.
const pollInterval = 20 * time.Millisecond

// Command describes a process to start.
type Command struct {
	Name string // shown in errors, such as "primary"
	Path string
	Args []string
	Env  []string // the whole environment; nothing is inherited
	Dir  string
	Log  string // file that standard output and error are appended to

	// Record is the file that remembers a detached process. Empty for a process that is to die with this one.
	Record string
	// Fingerprint is kept in the record, for the caller to see whether what runs is what it would start now.
	Fingerprint string
}

// Process is a process that Start started, or that Find found from its record.
type Process struct {
	name        string
	log         string
	handle      *os.Process
	identity    string
	fingerprint string
	record      string
	exited      chan struct{} // closed at the end of our own child; nil for a found process
}

// Start runs the command. Without a record the process is killed by the kernel when this process ends, however it ends;
// with one it is a session of its own and lives on.
func Start(command Command) (*Process, error) {
	log, err := os.OpenFile(command.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Name, err)
	}
	defer log.Close()                                  //nolint:errcheck // nothing is written through this handle
	cmd := exec.Command(command.Path, command.Args...) // #nosec G204 -- starting programs is this package's task
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = command.Env, command.Dir, log, log
	if cmd.Env == nil {
		cmd.Env = []string{}
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
		name: command.Name, log: command.Log, handle: cmd.Process, fingerprint: command.Fingerprint, record: command.Record,
		exited: make(chan struct{}),
	}
	// The identity is read before the child can be reaped, so it cannot be a stranger's.
	process.identity, _ = processIdentity(cmd.Process.Pid)
	go func() {
		_ = cmd.Wait()
		close(process.exited)
	}()
	if err := process.writeRecord(); err != nil {
		return nil, errors.Join(err, process.Kill())
	}
	return process, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.handle.Pid }

// Fingerprint is what Command.Fingerprint said when the process was started.
func (p *Process) Fingerprint() string { return p.fingerprint }

// Alive tells whether the process still runs. One that has ended but whose parent has not asked for its status is dead.
func (p *Process) Alive() bool {
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

// Lives is Alive, for Body.
func (p *Process) Lives() (bool, error) { return p.Alive(), nil }

// Tail returns the last lines of the process's log.
func (p *Process) Tail(lines int) []byte {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return nil
	}
	return LastLines(content, lines)
}

// Pause makes the process hang: what it holds stays open, nothing in it goes on. It returns when no thread runs any more, which is
// later than the signal was sent: on a busy machine a server can answer a request or two in between.
func (p *Process) Pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := Poll(ctx, func() error {
		if !p.Alive() {
			return nil
		}
		return stands(p.PID())
	})
	if err != nil {
		return fmt.Errorf("%s does not stand still after SIGSTOP: %w", p.name, err)
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
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Stop asks the process to end and waits until it has. When ctx ends first, the process is killed and the error says so.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	// A paused process would not see the request.
	if err := p.Continue(); err != nil {
		return err
	}
	if err := p.wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("%s did not end by itself and was killed: %w", p.name, err), p.Kill())
	}
	return p.forget()
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.wait(ctx); err != nil {
		return fmt.Errorf("%s is still there after SIGKILL: %w", p.name, err)
	}
	return p.forget()
}

func (p *Process) wait(ctx context.Context) error {
	if p.exited != nil {
		select {
		case <-p.exited:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return Poll(ctx, func() error {
		if p.Alive() {
			return errors.New("it still runs")
		}
		return nil
	})
}

// startBound starts a child that dies with this process. The kernel binds that to the *thread* that forked, and Go ends
// threads as it likes; so one goroutine, locked to its thread for ever, does all of the forking.
func startBound(cmd *exec.Cmd) error {
	forker.Do(func() { go forkForEver() })
	result := make(chan error)
	forks <- fork{cmd, result}
	return <-result
}

type fork struct {
	cmd    *exec.Cmd
	result chan<- error
}

var (
	forker sync.Once
	forks  = make(chan fork)
)
