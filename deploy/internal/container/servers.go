package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/secret"
)

// services are the containers that are ours, in the order of starting; servers are the others.
var (
	services = []string{"orders", "accounts", "gateway"}
	servers  = []string{"primary", "replica", "nats"}
)

// Pair is the pair of database servers as it is.
func (r *Runner) Pair(ctx context.Context) (*dbpair.Pair, error) {
	root, rootErr := secret.Read(r.stack.Secrets(), "mysql-root")
	replicator, replicatorErr := secret.Read(r.stack.Secrets(), "mysql-replicator")
	primary, primaryErr := r.containerOf(ctx, "primary")
	replica, replicaErr := r.containerOf(ctx, "replica")
	if err := errors.Join(rootErr, replicatorErr, primaryErr, replicaErr); err != nil {
		return nil, err
	}
	pair := dbpair.OpenContainers(root, replicator, [2]dbpair.Container{
		{ID: primary, Name: "primary", Port: r.stack.Ports.Primary}, {ID: replica, Name: "replica", Port: r.stack.Ports.Replica},
	})
	pair.Report = func(step string) { _, _ = fmt.Fprintln(r.out, step) }
	return pair, nil
}

// containerOf is the id of a service's container, which need not run.
func (r *Runner) containerOf(ctx context.Context, service string) (string, error) {
	command, err := r.command(ctx, "ps", "--all", "--quiet", service)
	if err != nil {
		return "", err
	}
	var output, problems bytes.Buffer
	command.Stdout, command.Stderr = &output, &problems
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("docker compose ps: %w\n%s", err, problems.String())
	}
	id := strings.TrimSpace(output.String())
	if id == "" {
		return "", fmt.Errorf("there is no container of %s; `make up` makes it", service)
	}
	return id, nil
}

// StopServices ends the three services that run, and leaves the servers alone. It says whether there were any.
func (r *Runner) StopServices(ctx context.Context) (stopped bool, err error) {
	running, err := r.Running(ctx)
	if err != nil {
		return false, err
	}
	for _, service := range services {
		stopped = stopped || running[service]
	}
	if !stopped {
		return false, nil
	}
	return true, r.compose(ctx, append([]string{"stop"}, services...)...)
}

// StartServices starts what StopServices ended, and returns when it is ready.
func (r *Runner) StartServices(ctx context.Context) error {
	return r.startServices(ctx, "--no-recreate")
}

// startServices leaves the servers alone: to wait for them, too, would be to wait for the one that is broken.
func (r *Runner) startServices(ctx context.Context, how string) error {
	// The gateway comes last: it asks accounts for the keys that verify tokens.
	for _, wave := range [][]string{services[:2], services[2:]} {
		arguments := []string{"up", "--detach", how, "--no-deps", "--wait", "--wait-timeout", "300"}
		if err := r.compose(ctx, append(arguments, wave...)...); err != nil {
			return err
		}
	}
	return nil
}
