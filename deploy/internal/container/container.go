// Package container runs OMS with Docker Compose. deploy/compose.yaml says what runs; this package gives it the secrets, the ports, the
// chosen settings, and to builds the settings of this machine's go command. It talks to the docker command only.
package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"oms.internal/servers/natsserver"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// Available reports whether a Docker engine answers and Compose is there.
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

// Runner starts, shows and ends the stack.
type Runner struct {
	stack stack.Stack
	out   io.Writer
}

// New returns a runner that reports on out.
func New(s stack.Stack, out io.Writer) *Runner { return &Runner{stack: s, out: out} }

// published is the folder from which compose.yaml mounts secrets.
func (r *Runner) published() string { return filepath.Join(r.stack.Data(), "docker") }

// Up builds the images, starts what does not run yet, and returns when the services are healthy.
func (r *Runner) Up(ctx context.Context) error {
	if r.stack.Choices["TLS_CERT_FILE"] != "" {
		return errors.New("TLS_CERT_FILE needs MODE=native, because a container does not see the files of this machine; " +
			"TLS_CERT_FILE= TLS_KEY_FILE= does without")
	}
	if err := secret.Ensure(r.stack.Secrets(), time.Now()); err != nil {
		return err
	}
	if err := secret.Publish(r.stack.Secrets(), r.published()); err != nil {
		return err
	}
	parts, err := r.look(ctx)
	if err != nil {
		return err
	}
	// The services' ports are kept for them.
	publishes := func(owner string, port int) bool {
		return slices.ContainsFunc(parts, func(part stack.Part) bool {
			return (part.Name == owner || part.Name == ports) && slices.Contains(part.Ports, port)
		})
	}
	// Accounts and orders listen in Compose's network only.
	if err := r.stack.CheckPorts(ctx, publishes, "ACCOUNTS_PORT", "ORDERS_PORT"); err != nil {
		return err
	}
	if err := r.checkSettingsEarly(ctx); err != nil {
		return err
	}
	if err := r.stack.Begin(stack.Docker); err != nil {
		return err
	}
	if err := r.startServers(ctx); err != nil {
		return r.explain(ctx, err, servers)
	}
	if err := r.build(ctx); err != nil {
		return err
	}
	if err := r.checkSettings(ctx, ""); err != nil {
		return err
	}
	if err := r.upgradeServices(ctx); err != nil {
		return r.explain(ctx, err, services)
	}
	if err := r.stack.Save(stack.Docker); err != nil {
		return err
	}
	return r.removeOldImages(ctx)
}

// removeOldImages removes the images that a newer build has taken the names of. None of them runs any more. To go back is to build again.
func (r *Runner) removeOldImages(ctx context.Context) error {
	_, err := engine(ctx, "image", "prune", "--force", "--filter", "label=com.docker.compose.project="+r.project())
	return err
}

// say prints a line for the operator.
func (r *Runner) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(r.out, format+"\n", arguments...)
}

// startServers starts the servers in the roles that they have. It succeeds without the replica, but not without the primary.
func (r *Runner) startServers(ctx context.Context) error {
	if err := r.endSilentNATS(ctx); err != nil {
		return err
	}
	ports := r.stack.Ports
	what := fmt.Sprintf("starting MySQL on ports %d and %d, and NATS on port %d (the first time takes minutes: images are fetched, and databases made)",
		ports.Primary, ports.Replica, ports.NATS)
	waited := r.step(ctx, what, append([]string{"up", "--detach", "--remove-orphans", "--wait", "--wait-timeout", "150"}, servers...)...)
	if ctx.Err() != nil {
		return waited
	}
	pair, err := r.Pair(ctx)
	if err != nil {
		return errors.Join(waited, err)
	}
	if err := pair.Orient(ctx); err != nil {
		return errors.Join(waited, database.Explain(err, r.stack.Secrets()))
	}
	if err := database.CheckPasswords(ctx, pair.Primary, r.stack.Secrets()); err != nil {
		return err
	}
	// After a failover a server may have come back that does not follow the new primary yet.
	return pair.Reattach(ctx)
}

// endSilentNATS removes the container of NATS if it hangs, so that Compose makes another one. All that NATS acknowledged is in its volume.
func (r *Runner) endSilentNATS(ctx context.Context) error {
	have, err := r.instances(ctx, "nats")
	if err != nil {
		return err
	}
	addr := proc.Loopback(r.stack.Ports.NATS)
	for _, one := range have {
		if !one.running() || !proc.Silent(ctx, func(ctx context.Context) error { return natsserver.Ping(ctx, addr) }) {
			continue
		}
		r.say("nats is started anew, because it does not answer")
		if err := end(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// running returns the names of the containers that run.
func (r *Runner) running(ctx context.Context) (map[string]bool, error) {
	output, err := r.composeOutput(ctx, "ps", "--services", "--status", "running")
	if err != nil {
		return nil, err
	}
	running := map[string]bool{}
	for name := range strings.FieldsSeq(output) {
		running[name] = true
	}
	return running, nil
}

// Runs reports whether any container of the stack runs. Without an engine none can.
func (r *Runner) Runs(ctx context.Context) (bool, error) {
	if !Available(ctx) {
		return false, nil
	}
	running, err := r.running(ctx)
	return len(running) > 0, err
}

// Down removes the containers. The volumes, and with them the data, stay.
func (r *Runner) Down(ctx context.Context) error {
	return r.step(ctx, "removing the containers", "down", "--remove-orphans")
}

// Clean removes containers, volumes and the images that were built here.
func (r *Runner) Clean(ctx context.Context) error {
	err := r.step(ctx, "removing the containers, their volumes and images", "down", "--remove-orphans", "--volumes", "--rmi", "local")
	return errors.Join(err, r.removeOldImages(ctx))
}

// Logs shows the end of the log of one container, or of all if name is empty. With follow it goes on until ctx ends.
func (r *Runner) Logs(ctx context.Context, name string, follow bool) error {
	arguments, names := []string{"logs", "--tail", "50"}, []string{}
	if follow {
		arguments = append(arguments, "--follow")
	}
	if name != "" {
		if !slices.Contains(partNames, name) {
			return fmt.Errorf("there is no log of %q; choose one of: %s", name, strings.Join(partNames, ", "))
		}
		names = []string{name}
	}
	if err := r.requireLogs(ctx, names); err != nil {
		return err
	}
	if err := r.compose(ctx, append(arguments, names...)...); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// requireLogs says that there is nothing to show. Docker Compose would show nothing and succeed.
func (r *Runner) requireLogs(ctx context.Context, names []string) error {
	ids, err := r.composeOutput(ctx, append([]string{"ps", "--all", "--quiet"}, names...)...)
	if err == nil && strings.TrimSpace(ids) == "" {
		err = errNoLogs
	}
	return err
}

var errNoLogs = errors.New("there are no logs: those of containers end with `make down`, and `make up` begins new ones")

// ServiceLogs gives the logs of the services, as far as the engine keeps them, to read.
func (r *Runner) ServiceLogs(ctx context.Context, read func(log io.Reader) error) error {
	if err := r.requireLogs(ctx, services); err != nil {
		return err
	}
	command := r.command(ctx, append([]string{"logs", "--no-color", "--no-log-prefix"}, services...)...)
	log, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("docker compose logs: %w", err)
	}
	if err := errors.Join(read(log), command.Wait()); err != nil {
		return fmt.Errorf("docker compose logs: %w", err)
	}
	return nil
}

// Admin creates an admin, or makes a member one. It runs the accounts binary's subcommand in its container, on this terminal.
func (r *Runner) Admin(ctx context.Context, email string) error {
	arguments := []string{"exec"}
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		arguments = append(arguments, "--no-TTY")
	}
	return r.compose(ctx, append(arguments, "accounts", "/accounts", "admin", "create", email)...)
}

// Import has a service import from the database of drf-oms that a file names. It runs a subcommand of the service's binary in a container of its own,
// with a place for what differs, because that of the service can write nowhere.
func (r *Runner) Import(ctx context.Context, service, sourceFile string, dryRun bool) error {
	have, err := r.instances(ctx, service)
	if err != nil {
		return err
	}
	if len(have) == 0 {
		return fmt.Errorf("%s was not started; `make up` starts it", service)
	}
	const mounted = "/run/drf-source"
	command := have[len(have)-1].command(ctx, []string{
		"--rm", "--user", fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), "--volume", sourceFile + ":" + mounted + ":ro", "--tmpfs", "/tmp:mode=1777",
	}, "import-drf", "--source-file", mounted, fmt.Sprintf("--dry-run=%t", dryRun))
	command.Stdout, command.Stderr = r.out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s import-drf: %w", service, err)
	}
	return nil
}

// RotateKeys lets accounts sign tokens with a new key. It runs a subcommand of the service's binary in a container of its own that may write
// the folder of the original keys, and publishes the result. The running service sees the new file and needs no restart. The originals
// have a path of their own, because the service's own path is read-only.
func (r *Runner) RotateKeys(ctx context.Context) error {
	have, err := r.instances(ctx, "accounts")
	if err != nil {
		return err
	}
	if len(have) == 0 {
		return errors.New("accounts was not started; `make up` starts it")
	}
	keys := filepath.Join(r.stack.Secrets(), secret.TokenKeys)
	owner := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	const mounted = "/run/original-token-keys"
	command := have[len(have)-1].command(ctx, []string{
		"--rm", "--user", owner, "--volume", keys + ":" + mounted, "--env", "TOKEN_KEYS_DIR=" + mounted,
	}, "keys", "rotate")
	command.Stdout, command.Stderr = r.out, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("docker run: %w", err)
	}
	return secret.Publish(r.stack.Secrets(), r.published())
}
