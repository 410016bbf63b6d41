// Package systemtest gives a test a whole system of its own, as `make up` starts it: native, on free ports, with its data in a
// temporary folder. OMS_TEST_MODE=docker starts it in containers, for tests that know no process. What it started ends with the
// test, also when the test crashes. Only the tests of the running system and the benchmark import it. It knows the command behind the
// Makefile and the files that this leaves, and nothing of what the services do.
package systemtest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"oms.internal/deploy/internal/stack"
	"oms.internal/servers/proc"
)

// System is such a system.
type System struct {
	// Data is the folder with its data, programs, logs and secrets.
	Data string

	env    []string
	ports  map[string]int
	reaper *proc.Reaper
}

// end stops what `make up` started, and removes its data.
const end = `if [ -x "$1/oms" ]; then OMS_DATA="$1" MODE=native "$1/oms" clean || exit 1; fi; set -- "$1"; ` + proc.RemoveDirectories

// New prepares a system with the given settings of `make up` ("NAME=value"). What the shell says about a system of its own does
// not count.
func New(settings ...string) (*System, error) {
	// A short path: it will hold Unix sockets.
	data, err := os.MkdirTemp("", "oms")
	if err != nil {
		return nil, err
	}
	return prepare(data, end, settings)
}

// leave stops what `make up` started, and keeps its data.
const leave = `if [ -x "$1/oms" ]; then OMS_DATA="$1" MODE=native "$1/oms" down; fi`

// Keep prepares a system as New does, whose data is in a folder and stays there for the next one.
func Keep(data string, settings ...string) (*System, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	return prepare(data, leave, settings)
}

func prepare(data, end string, settings []string) (s *System, err error) {
	mode := cmp.Or(os.Getenv("OMS_TEST_MODE"), string(stack.Native))
	s = &System{Data: data, ports: map[string]int{}, env: append(os.Environ(), "OMS_DATA="+data, "MODE="+mode, "FILE=", "FORCE=")}
	for _, names := range stack.Choosable {
		for _, name := range names {
			s.env = append(s.env, name+"=")
		}
	}
	for _, port := range new(stack.Ports).List() {
		if s.ports[port.Variable], err = proc.FreePort(); err != nil {
			return nil, err
		}
		s.env = append(s.env, port.Variable+"="+strconv.Itoa(s.ports[port.Variable]))
	}
	s.env = append(s.env, settings...)
	s.reaper, err = proc.StartReaper(end, data)
	return s, err
}

// Up builds the command behind the Makefile, starts the system, and waits until it is ready.
func (s *System) Up(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.Data, "oms"), "oms.internal/deploy/cmd/oms") // #nosec G204 -- our own file
	if err := run(build); err != nil {
		return err
	}
	return s.OMS(ctx, "up")
}

// Close ends the system.
func (s *System) Close() error { return s.reaper.Finish() }

// OMS runs the command behind the Makefile as an operator would.
func (s *System) OMS(ctx context.Context, arguments ...string) error {
	return run(s.Command(ctx, arguments...))
}

// Command is OMS before it runs.
func (s *System) Command(ctx context.Context, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(s.Data, "oms"), arguments...) // #nosec G204 -- our own file
	command.Env = s.env
	return command
}

// run runs a command; what it printed is part of the error.
func run(command *exec.Cmd) error {
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, output)
	}
	return nil
}

// Port is what a variable of a port says.
func (s *System) Port(variable string) int { return s.ports[variable] }

// Address is where something listens, by the variable of its port.
func (s *System) Address(variable string) string { return proc.Loopback(s.ports[variable]) }

// Secret reads one of the passwords that `make up` made.
func (s *System) Secret(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(s.Data, "secrets", name))
	return strings.TrimSpace(string(content)), err
}

// Process finds what `make up` started, by the path of its record in the data folder. It is an error if it does not run.
func (s *System) Process(record ...string) (*proc.Process, error) {
	path := filepath.Join(append([]string{s.Data}, record...)...)
	process, err := proc.Find(path)
	if err == nil && process == nil {
		err = fmt.Errorf("nothing runs that %s names", path)
	}
	return process, err
}

// Service finds the instance of a service that `make up` started.
func (s *System) Service(name string) (*proc.Process, error) { return s.Process("run", name+".json") }
