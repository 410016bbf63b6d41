package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// listenShared is the setting with which a service listens beside the one that it replaces. Only Linux spreads connections over both.
const listenShared = "LISTEN_SHARED"

// httpAddr and adminAddr are the settings with the ports of a service.
const (
	httpAddr  = "HTTP_ADDR"
	adminAddr = "ADMIN_ADDR"
)

// sources are the folders of the modules that the binaries are built from.
var sources = map[string]string{
	"accounts": "services/accounts", "orders": "services/orders", "gateway": "gateway", "binlogs": "deploy",
}

// build makes the binaries one after another, because each go command uses all cores.
func (r *Runner) build(ctx context.Context) error {
	if err := os.MkdirAll(r.binDir(), 0o700); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	link := "-X " + stack.RevisionVariable + "=" + r.stack.Revision(ctx)
	for _, name := range []string{"orders", "accounts", "gateway", "binlogs"} {
		r.say("building %s", name)
		folder := filepath.Join(r.stack.Root, filepath.FromSlash(sources[name]))
		// #nosec G204 -- our own arguments
		command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", link, "-o", filepath.Join(r.binDir(), name), "./cmd/"+name)
		// CI and the images build each module by itself, too.
		command.Dir, command.Env = folder, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, output)
		}
	}
	return nil
}

// environment returns the whole environment of a service. A service inherits nothing, because it refuses settings that it does not
// know.
func (r *Runner) environment(name string) []string {
	ports, secrets := r.stack.Ports, r.stack.Secrets()
	file := func(name string) string { return filepath.Join(secrets, name) }
	local := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	if name == "binlogs" {
		return r.chosen(name, []string{
			"MYSQL_HOSTS=" + local(ports.Primary) + "," + local(ports.Replica), "MYSQL_ROOT_PASSWORD_FILE=" + file("mysql-root"),
		})
	}
	settings := []string{
		listenShared + "=" + strconv.FormatBool(runtime.GOOS == "linux"),
		"NATS_URL=nats://" + local(ports.NATS), "NATS_USER=" + name, "NATS_PASSWORD_FILE=" + file("nats-"+name),
	}
	database := []string{
		"MYSQL_HOSTS=" + local(ports.Primary) + "," + local(ports.Replica), "MYSQL_DATABASE=" + name,
		"MYSQL_USER=" + name + "_app", "MYSQL_PASSWORD_FILE=" + file("mysql-"+name+"-app"),
		"MYSQL_MIGRATE_USER=" + name + "_migrate", "MYSQL_MIGRATE_PASSWORD_FILE=" + file("mysql-"+name+"-migrate"),
		migrateOnStart, "PRINCIPAL_PUBLIC_KEY_FILE=" + file(secret.PrincipalPublicKey),
	}
	switch name {
	case "accounts":
		settings = append(append(settings, database...), httpAddr+"="+local(ports.Accounts),
			adminAddr+"="+local(ports.AccountsAdmin), "TOKEN_KEYS_DIR="+file(secret.TokenKeys),
			"IDEMPOTENCY_SECRET_FILE="+file("idempotency"))
	case "orders":
		settings = append(append(settings, database...), httpAddr+"="+local(ports.Orders), adminAddr+"="+local(ports.OrdersAdmin))
	case "gateway":
		settings = append(settings, fmt.Sprintf("%s=0.0.0.0:%d", httpAddr, ports.Gateway), adminAddr+"="+local(ports.GatewayAdmin),
			"PRINCIPAL_PRIVATE_KEY_FILE="+file(secret.PrincipalKey),
			"ACCOUNTS_URL=http://"+local(ports.Accounts), "ORDERS_URL=http://"+local(ports.Orders))
	}
	return r.chosen(name, settings)
}

// chosen adds the settings that were chosen for a process.
func (r *Runner) chosen(name string, settings []string) []string {
	for _, variable := range stack.Choosable[name] {
		if value := r.stack.Choices[variable]; value != "" {
			settings = append(settings, variable+"="+value)
		}
	}
	return settings
}

// startServices starts services, each with its command, and returns when they are ready.
func (r *Runner) startServices(ctx context.Context, commands map[string]proc.Command) error {
	// The gateway starts last, because it asks accounts for the keys that verify tokens.
	for _, wave := range [][]part{{r.named("orders"), r.named("accounts")}, {r.named("gateway")}} {
		started := make(chan error, len(wave))
		for _, part := range wave {
			command, wanted := commands[part.name]
			if !wanted {
				started <- nil
				continue
			}
			go func() { started <- r.startService(ctx, part, command) }()
		}
		var problems []error
		for range wave {
			problems = append(problems, <-started)
		}
		if err := errors.Join(problems...); err != nil {
			return err
		}
	}
	return nil
}

// startService starts a service and returns when it is ready. If the service runs already, it is left alone if its binary, settings and
// files are the same, unless it hangs. Otherwise the new process starts beside the old one, which ends when the new one is ready.
func (r *Runner) startService(ctx context.Context, part part, command proc.Command) error {
	before, err := proc.Find(part.record)
	if err != nil {
		return err
	}
	if before == nil || before.Fingerprint() != command.Fingerprint {
		if err := r.migrate(ctx, part, command); err != nil && before != nil {
			return fmt.Errorf("%w\n%s still runs as before", err, part.name)
		} else if err != nil {
			return err
		}
	}
	hangs := before.Hangs(ctx, func(ctx context.Context) error {
		_, err := askReady(ctx, before, 0)
		return err
	})
	if before != nil && before.Setting(listenShared) != "true" {
		// A process of an earlier release lets nobody listen beside it.
		if hangs {
			if err := before.Stop(ctx); err != nil {
				return err
			}
		}
		if _, _, err := proc.Ensure(ctx, command); err != nil {
			return err
		}
	}
	ready := func(process *proc.Process) error { return r.awaitReady(ctx, part, process) }
	process, replaced, err := proc.Replace(ctx, command, hangs, ready)
	switch {
	case err != nil:
		return err
	case hangs:
		r.say("%s was replaced, because it did not answer", part.name)
	case before != nil && process.PID() == before.PID():
		r.say("%s is ready, and goes on unchanged", part.name)
	case before == nil || before.Fingerprint() == command.Fingerprint: // it ran, but had been asked to end
		r.say("%s is ready", part.name)
	case replaced:
		r.say("%s was replaced while it served, because of %s", part.name, changed(before.Fingerprint(), command.Fingerprint))
	default:
		r.say("%s was restarted, because of %s", part.name, changed(before.Fingerprint(), command.Fingerprint))
	}
	return nil
}

// startBinlogs starts the process that keeps the binary logs within limits. Nobody asks it anything, so nobody waits for it.
func (r *Runner) startBinlogs(ctx context.Context) error {
	part := r.named("binlogs")
	command, err := r.built(part)
	if err != nil {
		return err
	}
	_, _, err = proc.Ensure(ctx, command)
	return err
}

// patience is how long a service may take until it is ready. Its tables are migrated before.
const patience = 2 * time.Minute

// awaitReady waits until a service says that it is ready, and says every few seconds what it still waits for. If the service ends or
// takes too long, the error holds the end of its log.
func (r *Runner) awaitReady(ctx context.Context, part part, process *proc.Process) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look, show := time.NewTicker(50*time.Millisecond), time.NewTicker(5*time.Second)
	defer look.Stop()
	defer show.Stop()
	for began := time.Now(); ; {
		_, err := askReady(ctx, process, process.PID())
		switch {
		case err == nil && process.Alive():
			return nil
		case !process.Alive():
			return fmt.Errorf("%s ended before it was ready; the end of %s:\n%s", part.name, part.log, process.Tail(20))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; the end of %s:\n%s", part.name, err, part.log, process.Tail(20))
		case <-show.C:
			r.say("waiting for %s (%.0f s): %v", part.name, time.Since(began).Seconds(), err)
		case <-look.C:
		}
	}
}

// alone asks with a connection of its own each time, because two processes may listen at a port.
var alone = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// askReady returns what the admin port of a service answers, if that is 200 and the process with this number gave the answer (0: any
// process). Otherwise the error holds the answer. The process itself says where its port is: after a failed start it may not be where it
// is to be.
func askReady(ctx context.Context, process *proc.Process, pid int) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+process.Setting(adminAddr)+"/readyz", nil)
	if err != nil {
		return "", err
	}
	response, err := alone.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	const shown = 500
	body, err := io.ReadAll(io.LimitReader(response.Body, shown))
	if err != nil {
		return "", err
	}
	if by := response.Header.Get("Oms-Process"); pid != 0 && by != strconv.Itoa(pid) {
		return "", errors.New("it does not answer yet, only the process before it does")
	}
	if response.StatusCode != http.StatusOK {
		return "", errors.New(response.Status + " " + strings.TrimSpace(string(body)))
	}
	return strings.TrimSpace(string(body)), nil
}
