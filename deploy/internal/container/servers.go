package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/secret"
)

// services are the containers that answer clients, in the order of starting. servers are those with binaries that are not OMS's.
var (
	services = []string{"orders", "accounts", gateway}
	servers  = []string{"primary", "replica", "nats"}
	// The gateway starts last, because it asks accounts for the keys that verify tokens.
	waves = [][]string{services[:2], services[2:]}
	// partNames are all parts, in the order of starting.
	partNames = slices.Concat(servers, []string{"binlogs", ports}, services)
)

const (
	// gateway is the service that has no tables.
	gateway = "gateway"
	// ports is the container that keeps the ports of the services.
	ports = "ports"
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

// StopServices ends the three services, and leaves the servers alone. A migration comes to its end before. stopped is false if no service
// ran.
func (r *Runner) StopServices(ctx context.Context) (stopped bool, err error) {
	for _, service := range services {
		if err := r.awaitMigration(ctx, service); err != nil {
			return false, err
		}
	}
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

// StartServices starts what StopServices ended, as it was before, and returns when it is ready. The tables are migrated by what served, too,
// because what was built since may be a release that failed.
func (r *Runner) StartServices(ctx context.Context) error {
	for _, wave := range waves {
		var names []string
		for _, service := range wave {
			have, err := r.instances(ctx, service)
			if err != nil {
				return err
			}
			if len(have) == 0 {
				continue
			}
			names = append(names, service)
			// After an interrupted upgrade there are two. The oldest is the last, and Compose removes the other one.
			if err := r.migrateAs(ctx, service, have[len(have)-1]); err != nil {
				return err
			}
		}
		if len(names) == 0 {
			continue
		}
		if err := r.start(ctx, names, "--no-recreate"); err != nil {
			return err
		}
	}
	return nil
}

// upgradeServices starts what does not run, and replaces what runs with another binary, other settings or other secrets. It returns when
// all services are ready.
func (r *Runner) upgradeServices(ctx context.Context) error {
	// All that ran before serves meanwhile, also if keepPorts is to end it: a migration may take hours, or fail.
	for _, service := range services {
		have, current, err := r.find(ctx, service)
		if err != nil {
			return err
		}
		if current.ID != "" {
			continue
		}
		if err := r.migrate(ctx, service); err != nil {
			if slices.ContainsFunc(have, instance.ready) {
				err = goesOn(service, err)
			}
			return err
		}
	}
	if err := r.keepPorts(ctx); err != nil {
		return err
	}
	for _, wave := range waves {
		var down []string
		for _, service := range wave {
			done, err := r.replace(ctx, service)
			if err != nil {
				return err
			}
			if !done {
				down = append(down, service)
			}
		}
		if len(down) > 0 {
			if err := r.start(ctx, down); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepPorts starts the containers that run beside the services. The services end before the ports that are kept for them do.
func (r *Runner) keepPorts(ctx context.Context) error {
	have, err := r.instances(ctx, ports)
	if err != nil {
		return err
	}
	// A release of before published the services' ports itself, so these must be free first.
	current, hangs := false, false
	if len(have) == 1 {
		if current, err = r.isCurrent(ctx, ports, have[0]); err != nil {
			return err
		}
		admin := proc.Loopback(r.stack.Ports.GatewayAdmin)
		hangs = current && have[0].running() && proc.Silent(ctx, func(ctx context.Context) error { return askPorts(ctx, admin) })
	}
	why := "for other ports or another build"
	if hangs {
		why = "because it does not answer"
	}
	if !current || hangs {
		stopped, err := r.StopServices(ctx)
		if err != nil {
			return err
		}
		if stopped {
			r.say("clients notice that, because what keeps the services' ports is started anew, %s", why)
		}
	}
	if hangs {
		if err := end(ctx, have[0]); err != nil {
			return err
		}
	}
	return r.step(ctx, "starting "+ports+", binlogs", "up", "--detach", "--no-deps", ports, "binlogs")
}

// start starts services whose tables are migrated, and returns when they are ready. It leaves the servers alone. Otherwise it would also wait
// for a server that is broken.
func (r *Runner) start(ctx context.Context, names []string, how ...string) error {
	arguments := append([]string{"up", "--detach", "--no-deps", "--wait", "--wait-timeout", "300"}, how...)
	return r.step(ctx, "starting "+strings.Join(names, ", "), append(arguments, names...)...)
}
