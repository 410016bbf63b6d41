package native

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/database"
	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// Up starts the parts that do not run yet, and returns when all are ready. A part that runs is left alone, unless its binary or its
// settings have changed; then it is restarted. After an error the started parts go on running, so that the operator can look at them.
// Down ends them.
func (r *Runner) Up(ctx context.Context) error {
	if err := r.requireSpace(); err != nil {
		return err
	}
	if err := dbpair.InstallMariaDB(ctx, r.report); err != nil {
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
	running, err := r.Running()
	if err != nil {
		return err
	}
	if err := r.stack.CheckPorts(ctx, r.listens(running)); err != nil {
		return err
	}
	if err := r.checkSettingsEarly(ctx); err != nil {
		return err
	}
	if err := r.stack.Begin(stack.Native); err != nil {
		return err
	}
	if err := whileBuilding(ctx, r.build, r.startServers); err != nil {
		return err
	}
	if err := r.checkSettings(ctx, ""); err != nil {
		return err
	}
	if err := r.sayServers(running); err != nil {
		return err
	}
	// It comes before the services, so that it keeps those alive that run, even if another one does not start.
	if err := r.startSupervisor(ctx); err != nil {
		return err
	}
	if err := r.startBinlogs(ctx); err != nil {
		return err
	}
	commands := map[string]proc.Command{}
	for _, part := range r.services() {
		if commands[part.name], err = r.built(part); err != nil {
			return err
		}
	}
	if err := r.startServices(ctx, commands); err != nil {
		return err
	}
	return errors.Join(r.stack.Save(stack.Native), r.removePrograms())
}

// whileBuilding starts the servers while the builds go on, because both take long and do not need each other. If the servers fail, the builds
// are ended: the operator waits for the reason, and a build may take minutes.
func whileBuilding(ctx context.Context, build, start func(context.Context) error) error {
	building, end := context.WithCancel(ctx)
	defer end()
	var built error
	var builds sync.WaitGroup
	builds.Go(func() { built = build(building) })
	err := start(ctx)
	if err != nil {
		end()
	}
	builds.Wait()
	return cmp.Or(err, built)
}

// listens tells where the parts that run listen. A service says that itself, because it may not have been replaced by a start that failed;
// of the others, the record knows. If there is none, nobody knows.
func (r *Runner) listens(running map[string]*proc.Process) func(owner string, port int) bool {
	record, known, _ := r.stack.Recorded()
	return func(owner string, port int) bool {
		process := running[owner]
		if process == nil {
			return false
		}
		if admin := process.Setting(adminAddr); admin != "" {
			end := fmt.Sprintf(":%d", port)
			return strings.HasSuffix(admin, end) || strings.HasSuffix(process.Setting(httpAddr), end)
		}
		return !known || slices.ContainsFunc(record.Ports.List(), func(last stack.Port) bool { return last.Owner == owner && *last.Number == port })
	}
}

// requireSpace fails at once if a first start would fill the disk. Binaries and the data of both servers take about 400 MB.
func (r *Runner) requireSpace() error {
	const needed = 500
	for _, name := range []string{"primary", "replica"} {
		if _, err := os.Stat(filepath.Join(r.pairDir(), name, "data")); err == nil {
			return nil
		}
	}
	return r.stack.RequireSpace(needed)
}

// sayServers says what became of the servers that did not run as they should.
func (r *Runner) sayServers(before map[string]*proc.Process) error {
	after, err := r.Running()
	if err != nil {
		return err
	}
	for _, part := range r.servers() {
		switch was, is := before[part.name], after[part.name]; {
		case is == nil:
			r.say("%s does not run", part.name)
		case was == nil:
			r.say("%s runs", part.name)
		case was.PID() == is.PID():
			r.say("%s goes on unchanged", part.name)
		case was.Fingerprint() == is.Fingerprint():
			r.say("%s was restarted, because it did not answer", part.name)
		default:
			r.say("%s was restarted, because of its settings", part.name)
		}
	}
	return nil
}

// pairOptions say how the two database servers are started.
func (r *Runner) pairOptions() (dbpair.Options, error) {
	secrets := r.stack.Secrets()
	root, rootErr := secret.Read(secrets, "mysql-root")
	replicator, replicatorErr := secret.Read(secrets, "mysql-replicator")
	bufferPool, poolErr := bufferPool(r.stack.Choices["BUFFER_POOL_MB"])
	return dbpair.Options{
		Detached: true, Dir: r.pairDir(), PrimaryPort: r.stack.Ports.Primary, ReplicaPort: r.stack.Ports.Replica,
		RootPassword: root, ReplicatorPassword: replicator, BufferPool: bufferPool,
		Report: r.report,
	}, errors.Join(rootErr, replicatorErr, poolErr)
}

// report prints a step of what this package calls.
func (r *Runner) report(step string) { r.say("%s", step) }

// Pair returns the two database servers. It starts nothing.
func (r *Runner) Pair(context.Context) (*dbpair.Pair, error) {
	options, err := r.pairOptions()
	if err != nil {
		return nil, err
	}
	return dbpair.Open(options)
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
	r.say("MariaDB on ports %d and %d", r.stack.Ports.Primary, r.stack.Ports.Replica)
	pair, err := dbpair.Start(ctx, options)
	if err != nil {
		return database.Explain(err, r.stack.Secrets())
	}
	if err := database.CheckPasswords(ctx, pair.Primary, r.stack.Secrets()); err != nil {
		return err
	}
	r.say("NATS on port %d", r.stack.Ports.NATS)
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

// writeNATSConfig copies the configuration into a private folder, beside the file with the passwords, which it includes.
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
		renameio.WriteFile(path, config, 0o600),
		renameio.WriteFile(filepath.Join(r.natsDir(), "passwords.conf"), []byte(passwords), 0o600))
	if err != nil {
		return "", "", fmt.Errorf("configuration of NATS: %w", err)
	}
	sum := sha256.Sum256(append(config, passwords...))
	return path, hex.EncodeToString(sum[:]), nil
}
