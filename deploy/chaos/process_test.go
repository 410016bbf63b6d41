package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oms.internal/servers/proc"
)

// body is something that can be broken: an instance of a service, a database server or NATS.
type body interface {
	kill() error
	// restart starts what was killed, as its supervisor would, and returns when it does its work again.
	restart(ctx context.Context) error
	pause() error
	resume() error
}

// instance is a process of ours. It dies with the test.
type instance struct {
	name    string
	url     string
	admin   string
	command proc.Command
	process *proc.Process
}

// newInstance prepares an instance with the settings, on addresses of its own; later settings replace earlier ones.
func newInstance(s *system, name, service string, settings []string, changed ...string) (*instance, error) {
	public, publicErr := proc.FreePort()
	admin, adminErr := proc.FreePort()
	if err := errors.Join(publicErr, adminErr); err != nil {
		return nil, err
	}
	one := &instance{
		name: name, url: fmt.Sprintf("http://127.0.0.1:%d", public), admin: fmt.Sprintf("http://127.0.0.1:%d", admin),
	}
	changed = append(changed, fmt.Sprintf("HTTP_ADDR=127.0.0.1:%d", public), fmt.Sprintf("ADMIN_ADDR=127.0.0.1:%d", admin))
	one.command = proc.Command{
		Name: name, Path: filepath.Join(s.data, "bin", service), Args: []string{"serve"}, Env: with(settings, changed...),
		Dir: filepath.Join(s.data, "run"), Log: filepath.Join(s.data, "logs", name+".log"),
	}
	return one, nil
}

// with returns the settings with some of them replaced.
func with(settings []string, changed ...string) []string {
	result := append([]string{}, changed...)
	for _, setting := range settings {
		replaced := false
		for _, other := range changed {
			name, _, _ := strings.Cut(other, "=")
			replaced = replaced || strings.HasPrefix(setting, name+"=")
		}
		if !replaced {
			result = append(result, setting)
		}
	}
	return result
}

func (i *instance) start() error {
	var err error
	i.process, err = proc.Start(i.command)
	return err
}

func (i *instance) kill() error {
	if i.process == nil {
		return nil
	}
	return i.process.Kill()
}

func (i *instance) pause() error  { return i.process.Pause() }
func (i *instance) resume() error { return i.process.Continue() }

// terminate asks the instance to end and waits for it, as a rolling update does.
func (i *instance) terminate(ctx context.Context) error { return i.process.Stop(ctx) }

func (i *instance) restart(ctx context.Context) error {
	if err := i.start(); err != nil {
		return err
	}
	return i.awaitReady(ctx)
}

// awaitReady waits until the instance says that it is ready. One that has ended never will be.
func (i *instance) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := await(ctx, time.Minute, func(ctx context.Context) error {
		if !i.process.Alive() {
			cancel()
			return errors.New("it has ended")
		}
		status, text, err := fetch(ctx, i.admin+"/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, text)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is not ready: %w\n%s", i.name, err, i.process.Tail(10))
	}
	return nil
}

// group is all instances of a service as one.
type group []*instance

func (g group) each(do func(*instance) error) error {
	var problems []error
	for _, one := range g {
		problems = append(problems, do(one))
	}
	return errors.Join(problems...)
}

func (g group) kill() error   { return g.each((*instance).kill) }
func (g group) pause() error  { return g.each((*instance).pause) }
func (g group) resume() error { return g.each((*instance).resume) }

func (g group) restart(ctx context.Context) error {
	// They start side by side, as after a power cut.
	if err := g.each((*instance).start); err != nil {
		return err
	}
	return g.each(func(one *instance) error { return one.awaitReady(ctx) })
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

// kill remembers how the process was started, for restart.
func (s *server) kill() error {
	process, err := s.process()
	if err != nil {
		return err
	}
	environment, err := environmentOf(process.PID())
	if err != nil {
		return err
	}
	line, err := listOf(process.PID(), "cmdline")
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

func (s *server) restart(ctx context.Context) error {
	if _, err := proc.Start(s.command); err != nil {
		return err
	}
	if err := await(ctx, time.Minute, s.answers); err != nil {
		return fmt.Errorf("%s does not answer: %w", s.name, err)
	}
	return nil
}

func (s *server) pause() error  { return s.tell((*proc.Process).Pause) }
func (s *server) resume() error { return s.tell((*proc.Process).Continue) }

func (s *server) tell(what func(*proc.Process) error) error {
	process, err := s.process()
	if err != nil {
		return err
	}
	return what(process)
}

func environmentOf(pid int) ([]string, error) { return listOf(pid, "environ") }

// listOf reads a file of /proc that holds texts which end with a zero byte.
func listOf(pid int, file string) ([]string, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.Trim(string(content), "\x00"), "\x00"), nil
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

// fetch reads a page of an admin port.
func fetch(ctx context.Context, url string) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}
