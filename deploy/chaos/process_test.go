package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"oms.internal/deploy/internal/systemtest"
	"oms.internal/servers/proc"
)

// body is something that can be broken: an instance of a service, a database server or NATS.
type body interface {
	Kill() error
	// Restart starts what was killed, as its supervisor would, and returns when it does its work again.
	Restart(ctx context.Context) error
	Pause() error
	Continue() error
}

// group is all instances of a service as one.
type group []*systemtest.Instance

func (g group) each(do func(*systemtest.Instance) error) error {
	var problems []error
	for _, one := range g {
		problems = append(problems, do(one))
	}
	return errors.Join(problems...)
}

func (g group) Kill() error     { return g.each((*systemtest.Instance).Kill) }
func (g group) Pause() error    { return g.each((*systemtest.Instance).Pause) }
func (g group) Continue() error { return g.each((*systemtest.Instance).Continue) }

func (g group) Restart(ctx context.Context) error {
	// They start side by side, as after a power cut.
	if err := g.each((*systemtest.Instance).Start); err != nil {
		return err
	}
	return g.each(func(one *systemtest.Instance) error { return one.AwaitReady(ctx) })
}

// server is a database server or NATS, which `oms` started and which is found by its record.
type server struct {
	name    string
	record  string
	log     string
	answers func(ctx context.Context) error
	command proc.Command // of the process that was killed
}

func newServer(dir, log string, answers func(context.Context) error) *server {
	return &server{
		name: filepath.Base(dir), record: filepath.Join(dir, "process.json"), log: filepath.Join(dir, log), answers: answers,
	}
}

func (s *server) process() (*proc.Process, error) {
	process, err := proc.Find(s.record)
	if err == nil && process == nil {
		err = fmt.Errorf("%s does not run", s.name)
	}
	return process, err
}

// Kill remembers how the process was started, for Restart.
func (s *server) Kill() error {
	process, err := s.process()
	if err != nil {
		return err
	}
	environment, err := systemtest.EnvironmentOf(process)
	if err != nil {
		return err
	}
	line, err := systemtest.ListOf(process, "cmdline")
	if err != nil {
		return err
	}
	program, programErr := os.Readlink(fmt.Sprintf("/proc/%d/exe", process.PID()))
	dir, dirErr := os.Readlink(fmt.Sprintf("/proc/%d/cwd", process.PID()))
	if err := errors.Join(programErr, dirErr); err != nil {
		return err
	}
	s.command = proc.Command{
		Name: s.name, Path: program, Args: line[1:], Env: environment, Dir: dir, Log: s.log, Record: s.record,
		Fingerprint: process.Fingerprint(),
	}
	return process.Kill()
}

func (s *server) Restart(ctx context.Context) error {
	if _, err := proc.Start(s.command); err != nil {
		return err
	}
	if err := await(ctx, time.Minute, s.answers); err != nil {
		return fmt.Errorf("%s does not answer: %w", s.name, err)
	}
	return nil
}

func (s *server) Pause() error    { return s.tell((*proc.Process).Pause) }
func (s *server) Continue() error { return s.tell((*proc.Process).Continue) }

func (s *server) tell(what func(*proc.Process) error) error {
	process, err := s.process()
	if err != nil {
		return err
	}
	return what(process)
}

// greets tells whether a NATS server greets at an address; a paused one's port accepts too.
func greets(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer connection.Close()
		deadline, _ := ctx.Deadline()
		if err := connection.SetReadDeadline(deadline); err != nil {
			return err
		}
		_, err = bufio.NewReader(connection).ReadString('\n')
		return err
	}
}

// await calls check, with ten seconds for each call, until it succeeds.
func await(ctx context.Context, patience time.Duration, check func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		once, cancelOnce := context.WithTimeout(ctx, 10*time.Second)
		err := check(once)
		cancelOnce()
		if err == nil {
			return nil
		}
		if !rest(ctx, 10*time.Millisecond) {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// rest waits; it returns false if ctx ended first.
func rest(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
