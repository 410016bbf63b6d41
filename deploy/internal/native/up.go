package native

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// Up starts what does not run yet and returns when all of it is ready. What runs as it should is left alone; what runs
// with an older binary or other settings is restarted. After an error, what has been started goes on running, to be
// looked at; Down ends it.
func (r *Runner) Up(ctx context.Context) error {
	if err := dbpair.InstallMariaDB(ctx, r.out); err != nil {
		return err
	}
	for _, dir := range []string{r.logDir(), r.runDir(), r.natsDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("prepare folders: %w", err)
		}
	}
	if err := secret.Ensure(r.stack.Secrets(), time.Now()); err != nil {
		return err
	}
	if err := r.checkPorts(ctx); err != nil {
		return err
	}
	if err := r.stack.Save(stack.Record{Mode: stack.Native, Ports: r.stack.Ports, Choices: r.stack.Choices}); err != nil {
		return err
	}
	// Compiling and the servers' start take the most time and have nothing to do with each other.
	built := make(chan error, 1)
	go func() { built <- r.build(ctx) }()
	if err := errors.Join(r.startServers(ctx), <-built); err != nil {
		return err
	}
	return r.startServices(ctx)
}

// checkPorts fails if somebody else listens where we are to.
func (r *Runner) checkPorts(ctx context.Context) error {
	running, err := r.Running()
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
		return running[port.Owner] != nil && before[port.Variable] == *port.Number
	})
}

// pairOptions are how the two database servers run.
func (r *Runner) pairOptions() (dbpair.Options, error) {
	secrets := r.stack.Secrets()
	root, rootErr := secret.Read(secrets, "mysql-root")
	replicator, replicatorErr := secret.Read(secrets, "mysql-replicator")
	return dbpair.Options{
		Detached: true, Dir: r.pairDir(), PrimaryPort: r.stack.Ports.Primary, ReplicaPort: r.stack.Ports.Replica,
		RootPassword: root, ReplicatorPassword: replicator, BufferPool: "128M",
		Report: func(step string) { r.say("%s", step) },
	}, errors.Join(rootErr, replicatorErr)
}

// Pair is the pair of database servers as it is.
func (r *Runner) Pair(ctx context.Context) (*dbpair.Pair, error) {
	options, err := r.pairOptions()
	if err != nil {
		return nil, err
	}
	return dbpair.Open(ctx, options)
}

func (r *Runner) startServers(ctx context.Context) error {
	options, err := r.pairOptions()
	if err != nil {
		return err
	}
	options.Bootstrap, err = secret.Statements(
		filepath.Join(r.stack.Root, "deploy", "mysql", "users.sql.template"), r.stack.Secrets())
	if err != nil {
		return err
	}
	r.say("starting MariaDB on ports %d and %d", r.stack.Ports.Primary, r.stack.Ports.Replica)
	if _, err := dbpair.Start(ctx, options); err != nil {
		return err
	}
	r.say("starting NATS on port %d", r.stack.Ports.NATS)
	config, digest, err := r.writeNATSConfig()
	if err != nil {
		return err
	}
	_, err = natsserver.Start(ctx, natsserver.Options{
		Detached: true, Dir: r.natsDir(), Port: r.stack.Ports.NATS, ConfigFile: config, Fingerprint: digest,
		Servers: filepath.Join(r.stack.Root, "deploy", "servers"),
	})
	return err
}

// writeNATSConfig puts the configuration where the file with the passwords, which it includes, may lie.
func (r *Runner) writeNATSConfig() (path, digest string, err error) {
	config, err := os.ReadFile(filepath.Join(r.stack.Root, "deploy", "nats", "nats.conf"))
	if err != nil {
		return "", "", fmt.Errorf("configuration of NATS: %w", err)
	}
	passwords, err := secret.NATSPasswords(r.stack.Secrets())
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(r.natsDir(), "nats.conf")
	err = errors.Join(
		os.WriteFile(path, config, 0o600), // #nosec G703 -- below our own folder
		os.WriteFile(filepath.Join(r.natsDir(), "passwords.conf"), []byte(passwords), 0o600))
	if err != nil {
		return "", "", fmt.Errorf("configuration of NATS: %w", err)
	}
	sum := sha256.Sum256(append(config, passwords...))
	return path, hex.EncodeToString(sum[:]), nil
}

// StartServices starts what StopServices ended, as it was built then, and returns when it is ready.
func (r *Runner) StartServices(ctx context.Context) error { return r.startServices(ctx) }

func (r *Runner) startServices(ctx context.Context) error {
	processes := map[string]*proc.Process{}
	// The gateway comes last: it asks accounts for the keys that verify tokens.
	for _, wave := range [][]string{{"orders", "accounts"}, {"gateway"}} {
		var started []part
		for _, part := range r.parts(r.stack.Ports) {
			for _, name := range wave {
				if part.name == name {
					started = append(started, part)
				}
			}
		}
		for _, part := range started {
			process, err := r.startService(ctx, part)
			if err != nil {
				return err
			}
			processes[part.name] = process
		}
		for _, part := range started {
			if err := r.awaitReady(ctx, part, processes[part.name]); err != nil {
				return err
			}
			r.say("%s is ready", part.name)
		}
	}
	return nil
}
