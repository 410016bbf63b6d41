// Package container runs OMS with Docker Compose: deploy/compose.yaml says what runs, this package gives it the secrets,
// the ports and the settings of the host's go command.
package container

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// Available tells whether a Docker engine answers and Compose is there.
func Available(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, arguments := range [][]string{{"info"}, {"compose", "version"}} {
		if exec.CommandContext(ctx, "docker", arguments...).Run() != nil { // #nosec G204 -- fixed arguments
			return false
		}
	}
	return true
}

// Runner starts, shows and ends the stack of containers.
type Runner struct {
	stack stack.Stack
	out   io.Writer
}

// New returns a runner that reports on out.
func New(s stack.Stack, out io.Writer) *Runner { return &Runner{stack: s, out: out} }

// published is the folder that compose.yaml mounts secrets from.
func (r *Runner) published() string { return filepath.Join(r.stack.Data(), "docker") }

// inside are the ports that exist in Compose's network only; containers publish the others.
var inside = map[string]bool{"ACCOUNTS_PORT": true, "ORDERS_PORT": true}

// Up builds the images and starts what does not run yet, and returns when the services are healthy.
func (r *Runner) Up(ctx context.Context) error {
	if r.stack.Choices["TLS_CERT_FILE"] != "" {
		return errors.New("TLS_CERT_FILE is for MODE=native: a container does not see the files of this machine")
	}
	if err := secret.Ensure(r.stack.Secrets(), time.Now()); err != nil {
		return err
	}
	if err := secret.Publish(r.stack.Secrets(), r.published()); err != nil {
		return err
	}
	if err := r.checkPorts(ctx); err != nil {
		return err
	}
	if err := r.stack.Save(stack.Record{Mode: stack.Docker, Ports: r.stack.Ports, Choices: r.stack.Choices}); err != nil {
		return err
	}
	if err := r.startServers(ctx); err != nil {
		return errors.Join(err, r.compose(ctx, "ps", "--all"), r.compose(ctx, append([]string{"logs", "--tail", "20"}, servers...)...))
	}
	if err := r.startServices(ctx, "--build"); err != nil {
		return errors.Join(err, r.compose(ctx, "ps", "--all"), r.compose(ctx, append([]string{"logs", "--tail", "20"}, services...)...))
	}
	return nil
}

// startServers starts the servers in the roles that they have. One database server alone will do, if it is the primary.
func (r *Runner) startServers(ctx context.Context) error {
	waited := r.compose(ctx, append([]string{"up", "--detach", "--remove-orphans", "--wait", "--wait-timeout", "150"}, servers...)...)
	if ctx.Err() != nil {
		return waited
	}
	pair, err := r.Pair(ctx)
	if err != nil {
		return errors.Join(waited, err)
	}
	if err := pair.Orient(ctx); err != nil {
		return errors.Join(waited, err)
	}
	// After a failover a server may have come back that does not follow the new primary yet.
	return pair.Reattach(ctx)
}

// checkPorts fails if somebody else listens where a container is to.
func (r *Runner) checkPorts(ctx context.Context) error {
	running, err := r.Running(ctx)
	if err != nil {
		return err
	}
	record, _, err := r.stack.Recorded()
	if err != nil {
		return err
	}
	before := map[string]int{}
	for _, port := range record.Ports.List() {
		before[port.Variable] = *port.Number
	}
	return r.stack.Ports.CheckFree(ctx, func(port stack.Port) bool {
		return inside[port.Variable] || running[port.Owner] && before[port.Variable] == *port.Number
	})
}

// Running returns the services whose containers run.
func (r *Runner) Running(ctx context.Context) (map[string]bool, error) {
	command, err := r.command(ctx, "ps", "--services", "--status", "running")
	if err != nil {
		return nil, err
	}
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("docker compose ps: %w\n%s", err, problems.String())
	}
	running := map[string]bool{}
	for name := range strings.FieldsSeq(output.String()) {
		running[name] = true
	}
	return running, nil
}

// Down removes the containers. The volumes, and with them the data, stay.
func (r *Runner) Down(ctx context.Context) error { return r.compose(ctx, "down", "--remove-orphans") }

// Clean removes containers and volumes.
func (r *Runner) Clean(ctx context.Context) error {
	return r.compose(ctx, "down", "--remove-orphans", "--volumes")
}

// PS shows the containers.
func (r *Runner) PS(ctx context.Context) error { return r.compose(ctx, "ps", "--all") }

// Logs shows the end of a service's log, of all if none is named, and, with follow, what is added until ctx ends.
func (r *Runner) Logs(ctx context.Context, name string, follow bool) error {
	arguments := []string{"logs", "--tail", "50"}
	if follow {
		arguments = append(arguments, "--follow")
	}
	if name != "" {
		arguments = append(arguments, name)
	}
	if err := r.compose(ctx, arguments...); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// Admin runs the accounts binary's subcommand that creates or promotes an admin, in its container, on this terminal.
func (r *Runner) Admin(ctx context.Context, email string) error {
	arguments := []string{"exec"}
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		arguments = append(arguments, "--no-TTY")
	}
	return r.compose(ctx, append(arguments, "accounts", "/accounts", "admin", "--email", email)...)
}

// RotateKeys runs the accounts binary's subcommand that adds a key, in a container of its own that may write the folder
// of the original keys, and publishes the result. The running service sees the new file and needs no restart.
func (r *Runner) RotateKeys(ctx context.Context) error {
	keys := filepath.Join(r.stack.Secrets(), secret.TokenKeys)
	owner := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	if err := r.compose(ctx, "run", "--rm", "--no-TTY", "--no-deps", "--user", owner,
		"--volume", keys+":/run/token-keys", "accounts", "keys", "rotate"); err != nil {
		return err
	}
	return secret.Publish(r.stack.Secrets(), r.published())
}

// compose runs a command of Docker Compose on this terminal.
func (r *Runner) compose(ctx context.Context, arguments ...string) error {
	command, err := r.command(ctx, arguments...)
	if err != nil {
		return err
	}
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, r.out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("docker compose %s: %w", arguments[0], err)
	}
	return nil
}

// project is a name for containers and volumes that belongs to one folder of data: the databases in the volumes know the
// secrets in that folder only.
func (r *Runner) project() string {
	digest := sha256.Sum256([]byte(r.stack.Data()))
	return "oms-" + hex.EncodeToString(digest[:3])
}

func (r *Runner) command(ctx context.Context, arguments ...string) (*exec.Cmd, error) {
	environment, err := r.environment(ctx)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(r.stack.Root, "deploy", "compose.yaml")
	line := append([]string{"compose", "--project-name", r.project(), "--file", file}, arguments...)
	command := exec.CommandContext(ctx, "docker", line...) // #nosec G204 -- our own arguments
	command.Env = append(os.Environ(), environment...)
	// Ctrl-C reaches Compose by itself, as it shares our terminal; killing it would leave half of its work.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command, nil
}
