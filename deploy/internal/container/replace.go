package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"oms.internal/deploy/internal/stack"
)

// instance is one container of a service, as the engine sees it.
type instance struct {
	ID           string `json:"Id"`
	Image        string
	RestartCount int
	State        struct {
		Status    string // created, running, restarting, exited, …
		StartedAt time.Time
		Health    *struct {
			Status string
			Log    []checked // the newest last
		}
	}
	Config struct {
		User   string
		Env    []string
		Labels map[string]string
	}
	HostConfig struct{ NetworkMode string }
}

// checked is what one run of a container's health check found.
type checked struct {
	ExitCode int
	Output   string
}

// tookTooLong is the exit code of a health check that the engine has ended.
const tookTooLong = -1

// command returns what runs a subcommand of the container's binary in a container of its own, with the same image, settings and secrets.
// Compose cannot: it knows the release that was built last, which may have failed, and compose.yaml may hold settings that the container's
// binary refuses. how are options of `docker run`.
func (i instance) command(ctx context.Context, how []string, subcommand ...string) *exec.Cmd {
	arguments := []string{
		"run", "--user", i.Config.User, "--network", i.HostConfig.NetworkMode, "--volumes-from", i.ID,
		"--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true",
	}
	for _, setting := range i.Config.Env {
		arguments = append(arguments, "--env", setting)
	}
	for name, value := range i.Config.Labels {
		arguments = append(arguments, "--label", name+"="+value)
	}
	// By its labels `make down` finds it, and nobody takes it for one that serves.
	arguments = append(arguments, "--label", "com.docker.compose.oneoff=True")
	arguments = slices.Concat(arguments, how, []string{i.Image}, subcommand)
	return exec.CommandContext(ctx, "docker", arguments...) // #nosec G204 -- our own arguments
}

// blueprint is what a container is made of.
type blueprint struct{ image, settings, secrets string }

func (i instance) blueprint() blueprint {
	return blueprint{i.Image, i.Config.Labels["com.docker.compose.config-hash"], i.Config.Labels["oms.secrets"]}
}

func (i instance) running() bool { return i.State.Status == "running" }

// ready is never true of a container without a health check. The engine calls a container healthy until many checks in a row have failed,
// so the newest one counts, too.
func (i instance) ready() bool {
	newest := i.checked()
	return i.running() && i.State.Health != nil && i.State.Health.Status == "healthy" && (newest == nil || newest.ExitCode == 0)
}

// failing reports whether a container was ready and is no longer, because it hangs or says so.
func (i instance) failing() bool {
	return i.running() && !i.ready() && i.State.Health != nil && i.State.Health.Status != "starting" && i.checked() != nil
}

// checked returns what the newest health check found, and nil before the first one and without a health check. On a busy machine a check may
// take too long. Then the one before counts.
func (i instance) checked() *checked {
	if i.State.Health == nil {
		return nil
	}
	log := i.State.Health.Log
	if last := len(log) - 1; last > 0 && log[last].ExitCode == tookTooLong {
		log = log[:last]
	}
	if len(log) == 0 {
		return nil
	}
	return &log[len(log)-1]
}

// restarts says how often the engine has started the container again, if it has.
func (i instance) restarts() string {
	if i.RestartCount == 0 {
		return ""
	}
	return stack.Restarts(i.State.StartedAt, i.RestartCount)
}

// because says what makes a container of one blueprint differ from that of another. The secrets are part of the settings. An interrupted
// command may have left two that do not differ.
func (b blueprint) because(next blueprint) string {
	var reasons []string
	if b.image != next.image {
		reasons = append(reasons, "binary")
	}
	switch {
	case b.secrets != next.secrets:
		reasons = append(reasons, "secrets")
	case b.settings != next.settings, len(reasons) == 0:
		reasons = append(reasons, "settings")
	}
	return strings.Join(reasons, ", ")
}

// engine runs a command of the Docker client and returns what it printed, without the space around it.
func engine(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "docker", arguments...) // #nosec G204 -- our own arguments
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", arguments[0], err, problems.String())
	}
	return strings.TrimSpace(output.String()), nil
}

// instances returns the containers of a service, the newest first, those of an operator's commands excepted.
func (r *Runner) instances(ctx context.Context, service string) ([]instance, error) {
	ids, err := engine(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label=com.docker.compose.project="+r.project(),
		"--filter", "label=com.docker.compose.service="+service, "--filter", "label=com.docker.compose.oneoff=False")
	if err != nil || ids == "" {
		return nil, err
	}
	return inspect(ctx, strings.Fields(ids)...)
}

func inspect(ctx context.Context, ids ...string) (found []instance, err error) {
	described, err := engine(ctx, append([]string{"container", "inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(described), &found); err != nil {
		return nil, fmt.Errorf("read what docker container inspect prints: %w", err)
	}
	return found, nil
}

// isCurrent reports whether a container is what Compose would make now.
func (r *Runner) isCurrent(ctx context.Context, service string, one instance) (bool, error) {
	// The command prints the service's name, too.
	hash, err := r.composeOutput(ctx, "config", "--hash", service)
	if err != nil {
		return false, err
	}
	image, err := engine(ctx, "image", "inspect", "--format", "{{.Id}}", r.image(service))
	if err != nil {
		return false, err
	}
	is := one.blueprint()
	return is.image == image && strings.HasSuffix(strings.TrimSpace(hash), " "+is.settings), nil
}

// image is the name that Compose gives to what it built last for a service.
func (r *Runner) image(service string) string { return r.project() + "-" + service }

// find returns the containers of a service, and the one among them that serves and is what Compose would make now. Without such a one,
// current is empty.
func (r *Runner) find(ctx context.Context, service string) (have []instance, current instance, err error) {
	have, err = r.instances(ctx, service)
	if err != nil {
		return nil, instance{}, err
	}
	for _, one := range have {
		if !one.ready() {
			continue
		}
		is, err := r.isCurrent(ctx, service, one)
		if err != nil {
			return nil, instance{}, err
		}
		if is {
			current = one
		}
	}
	return have, current, nil
}

// replace replaces the container of a service that serves by one that is as built and set now, and loses no request: the new one serves at
// the same port before the old one ends (see the service called ports in compose.yaml). If the new one does not become ready, it is
// removed, and the old one goes on. One that hangs is replaced, too. done is false if no container serves, so that there is none to
// replace beside.
func (r *Runner) replace(ctx context.Context, service string) (done bool, err error) {
	have, next, err := r.find(ctx, service)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(have, func(one instance) bool { return one.ready() || one.failing() }) {
		return false, nil
	}
	// There is more than one only if an earlier `up` was interrupted.
	if next.ID != "" && len(have) == 1 {
		r.say("%s is ready, and goes on unchanged", service)
		return true, nil
	}
	if next.ID == "" {
		if next, err = r.startBeside(ctx, service, have); err != nil {
			return false, err
		}
	}
	before := slices.DeleteFunc(have, func(one instance) bool { return one.ID == next.ID })
	for _, old := range before {
		if err := end(ctx, old); err != nil {
			return false, err
		}
	}
	if last := before[0]; last.failing() {
		r.say("%s was replaced, because it was not ready: %s", service, lastLine(last.checked().Output))
	} else {
		r.say("%s was replaced while it served, because of %s", service, last.blueprint().because(next.blueprint()))
	}
	return true, nil
}

// end lets a container finish what it has begun, and removes it.
func end(ctx context.Context, one instance) error {
	if _, err := engine(ctx, "stop", one.ID); err != nil {
		return err
	}
	_, err := engine(ctx, "rm", "--force", one.ID)
	return err
}

// startBeside starts one more container of a service and returns it when it is ready. If that fails, the container is removed.
func (r *Runner) startBeside(ctx context.Context, service string, have []instance) (next instance, err error) {
	defer func() {
		if err == nil {
			return
		}
		// Also after Ctrl-C: two containers of a service are one too many.
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		all, cleanErr := r.instances(cleaning, service)
		for _, one := range all {
			if !slices.ContainsFunc(have, func(old instance) bool { return old.ID == one.ID }) {
				cleanErr = errors.Join(cleanErr, end(cleaning, one)) // it may be in the midst of something
			}
		}
		err = errors.Join(goesOn(service, err), cleanErr)
	}()
	what := fmt.Sprintf("starting the next %s beside the one that serves", service)
	if err := r.step(ctx, what, "up", "--detach", "--no-deps", "--no-recreate",
		"--scale", fmt.Sprintf("%s=%d", service, len(have)+1), service); err != nil {
		return instance{}, err
	}
	all, err := r.instances(ctx, service)
	if err != nil {
		return instance{}, err
	}
	for _, one := range all {
		if !slices.ContainsFunc(have, func(old instance) bool { return old.ID == one.ID }) {
			return r.awaitReady(ctx, service, one)
		}
	}
	return instance{}, fmt.Errorf("docker compose started no other container of %s", service)
}

// goesOn says of an error that it ended nothing.
func goesOn(service string, err error) error {
	return fmt.Errorf("%w\n%s still runs as before", err, service)
}

// patience is how long a container beside another one may take until it is ready. Its tables are migrated before.
const patience = 5 * time.Minute

// awaitReady waits until a container is ready. If it ends or takes too long, the error holds the end of its log.
func (r *Runner) awaitReady(ctx context.Context, service string, one instance) (instance, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		found, err := inspect(ctx, one.ID)
		switch {
		case err != nil:
			return instance{}, err
		case found[0].ready():
			return found[0], nil
		case !found[0].running() || found[0].RestartCount > 0:
			return instance{}, fmt.Errorf("%s ended before it was ready; %s", service, logEnd(ctx, one.ID))
		}
		select {
		case <-ctx.Done():
			return instance{}, fmt.Errorf("%s is not ready: %w; %s", service, ctx.Err(), logEnd(context.WithoutCancel(ctx), one.ID))
		case <-look.C:
		}
	}
}

func logEnd(ctx context.Context, id string) string {
	// What a process says when it fails goes to both outputs.
	output, err := exec.CommandContext(ctx, "docker", "logs", "--tail", "20", id).CombinedOutput() // #nosec G204 -- an id of the engine
	if err != nil {
		return "its log cannot be read: " + err.Error()
	}
	return "the end of its log:\n" + strings.TrimSpace(string(output))
}
