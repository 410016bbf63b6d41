package container

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"oms.internal/servers/dbpair"

	"oms.internal/deploy/internal/secret"
)

// services are the containers with binaries of OMS, in the order of starting. servers are the others.
var (
	services = []string{"orders", "accounts", "gateway"}
	servers  = []string{"primary", "replica", "nats"}
)

// Pair returns the two database servers. It starts nothing.
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

// containerOf returns the id of a container, which need not run.
func (r *Runner) containerOf(ctx context.Context, name string) (string, error) {
	output, err := r.composeOutput(ctx, "ps", "--all", "--quiet", name)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(output)
	if id == "" {
		return "", fmt.Errorf("there is no container of %s; `make up` makes it", name)
	}
	return id, nil
}

// StopServices ends the three services, and leaves the servers alone. stopped is false if no service ran.
func (r *Runner) StopServices(ctx context.Context) (stopped bool, err error) {
	running, err := r.running(ctx)
	if err != nil {
		return false, err
	}
	for _, service := range services {
		stopped = stopped || running[service]
	}
	if !stopped {
		return false, nil
	}
	return true, r.step(ctx, "stopping the services", append([]string{"stop"}, services...)...)
}

// StartServices starts the services as they were built last, and returns when they are ready.
func (r *Runner) StartServices(ctx context.Context) error {
	return r.startServices(ctx, "--no-recreate")
}

// startServices leaves the servers alone. Otherwise it would also wait for a server that is broken.
func (r *Runner) startServices(ctx context.Context, how ...string) error {
	// The gateway starts last, because it asks accounts for the keys that verify tokens.
	for _, wave := range [][]string{{"binlogs", services[0], services[1]}, services[2:]} {
		arguments := append([]string{"up", "--detach", "--no-deps", "--wait", "--wait-timeout", "300"}, how...)
		if err := r.step(ctx, "starting "+strings.Join(wave, ", "), append(arguments, wave...)...); err != nil {
			return err
		}
	}
	return nil
}
