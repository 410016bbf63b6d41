package systemtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oms.internal/servers/proc"
)

// Instance is another instance of a service, beside or instead of the one that `make up` started. It dies with the test.
type Instance struct {
	URL   string // of its public port
	Admin string // of its admin port

	command proc.Command
	process *proc.Process
}

// NewInstance prepares an instance with the settings of the one that `make up` started, on ports of its own. changed are other
// settings ("NAME=value").
func (s *System) NewInstance(name, service string, changed ...string) (*Instance, error) {
	original, err := s.Service(service)
	if err != nil {
		return nil, err
	}
	settings, err := EnvironmentOf(original)
	if err != nil {
		return nil, err
	}
	public, publicErr := proc.FreePort()
	admin, adminErr := proc.FreePort()
	if err := errors.Join(publicErr, adminErr); err != nil {
		return nil, err
	}
	i := &Instance{URL: "http://" + proc.Loopback(public), Admin: "http://" + proc.Loopback(admin)}
	i.command = proc.Command{
		Name: name, Path: filepath.Join(s.Data, "bin", service), Args: []string{"serve"}, Env: settings,
		Dir: filepath.Join(s.Data, "run"), Log: filepath.Join(s.Data, "logs", name+".log"),
	}
	i.Change(append(changed, "HTTP_ADDR="+proc.Loopback(public), "ADMIN_ADDR="+proc.Loopback(admin))...)
	return i, nil
}

// Change replaces settings from the next start on.
func (i *Instance) Change(settings ...string) {
	for _, setting := range settings {
		name, _, _ := strings.Cut(setting, "=")
		i.command.Env = slices.DeleteFunc(i.command.Env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
	}
	i.command.Env = append(i.command.Env, settings...)
}

// Name is the name of the instance.
func (i *Instance) Name() string { return i.command.Name }

// Start starts the instance and does not wait for it.
func (i *Instance) Start() error {
	var err error
	i.process, err = proc.Start(i.command)
	return err
}

// Restart starts the instance and waits until it is ready.
func (i *Instance) Restart(ctx context.Context) error {
	if err := i.Start(); err != nil {
		return err
	}
	return i.AwaitReady(ctx)
}

// AwaitReady waits until the instance says that it is ready. One that has ended never will be.
func (i *Instance) AwaitReady(ctx context.Context) error {
	return proc.Await(ctx, i.Name(), i.process, func(ctx context.Context) error {
		status, text, err := Fetch(ctx, i.Admin+"/readyz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, text)
		}
		return err
	})
}

// Kill ends the instance as a crash does, if it was started.
func (i *Instance) Kill() error {
	if i.process == nil {
		return nil
	}
	return i.process.Kill()
}

// Pause lets the instance hang.
func (i *Instance) Pause() error { return i.process.Pause() }

// Continue ends a pause.
func (i *Instance) Continue() error { return i.process.Continue() }

// Terminate asks the instance to end and waits for it, as a rolling update does.
func (i *Instance) Terminate(ctx context.Context) error { return i.process.Stop(ctx) }

// Fetch reads a page of an admin port.
func Fetch(ctx context.Context, url string) (status int, text string, err error) {
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

// EnvironmentOf is the environment that a process was started with.
func EnvironmentOf(process *proc.Process) ([]string, error) { return ListOf(process, "environ") }

// ListOf reads a file of /proc about a process that holds texts which end with a zero byte.
func ListOf(process *proc.Process, file string) ([]string, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", process.PID(), file))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.Trim(string(content), "\x00"), "\x00"), nil
}
