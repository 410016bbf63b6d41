package dbpair

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"oms.internal/servers/proc"
)

// mariadbBody is a MariaDB server as a process. All of it is in one directory: configuration, data, socket, log.
type mariadbBody struct {
	name     string
	dir      string
	config   string // but for the role
	server   string // path of mariadbd
	install  string // path of mariadb-install-db
	root     string // root's password
	detached bool
	// arguments are for the next start alone.
	arguments []string
	process   *proc.Process
}

func newMariaDBPair(_ context.Context, options Options) (*Pair, error) {
	server, install, err := findMariaDB()
	if err != nil {
		return nil, err
	}
	pair := &Pair{RootPassword: options.RootPassword, replicatorPassword: options.ReplicatorPassword}
	dir := options.Dir
	if !options.Detached {
		if dir, err = os.MkdirTemp(options.Dir, "oms-pair-"); err != nil {
			return nil, fmt.Errorf("make directory: %w", err)
		}
		if pair.reaper, err = proc.StartReaper(proc.RemoveDirectories, dir); err != nil {
			return nil, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("directory of the pair: %w", err)
	}
	build := func(name string, id, port int) *Server {
		own := filepath.Join(dir, name)
		body := &mariadbBody{
			name: name, dir: own, server: server, install: install, root: options.RootPassword, detached: options.Detached,
			config: mariadbConfig(own, id, port, options),
		}
		return &Server{name: name, port: port, rootPassword: options.RootPassword, body: body}
	}
	pair.engine = mariadbReplication{dir: dir}
	pair.Primary = build(primaryName, 1, options.PrimaryPort)
	pair.Replica = build(replicaName, 2, options.ReplicaPort)
	recorded, err := RecordedPrimary(dir)
	if err == nil && recorded == pair.Replica.name {
		pair.swap()
	}
	return pair, err
}

// Open returns the detached pair that Start started before, as it is: it starts nothing, and either server may be
// down. Roles are the recorded ones until Orient, Failover or Rejoin has asked the servers.
func Open(ctx context.Context, options Options) (*Pair, error) {
	options.Detached = true
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open database pair: %w", err)
	}
	pair, err := newMariaDBPair(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("open database pair: %w", err)
	}
	for _, server := range []*Server{pair.Primary, pair.Replica} {
		body := server.body.(*mariadbBody)
		if body.process, err = proc.Find(proc.RecordIn(body.dir)); err != nil {
			return nil, fmt.Errorf("open database pair: %w", err)
		}
	}
	pair.Report = options.Report
	return pair, nil
}

const (
	primaryName = "primary"
	replicaName = "replica"
)

// FindPair returns the processes of the detached pair in dir. One that does not run is nil.
func FindPair(dir string) (primary, replica *proc.Process, err error) {
	primary, primaryErr := proc.Find(proc.RecordIn(filepath.Join(dir, primaryName)))
	replica, replicaErr := proc.Find(proc.RecordIn(filepath.Join(dir, replicaName)))
	return primary, replica, errors.Join(primaryErr, replicaErr)
}

func (b *mariadbBody) Lives() (bool, error) { return b.process != nil && b.process.Alive(), nil }

func (b *mariadbBody) Tail(lines int) []byte {
	if b.process == nil {
		return nil
	}
	return b.process.Tail(lines)
}

func (b *mariadbBody) start(ctx context.Context) error {
	if b.process != nil && b.process.Alive() {
		return nil
	}
	if err := b.prepare(ctx); err != nil {
		return fmt.Errorf("prepare %s: %w", b.name, err)
	}
	// The role is left out: a failover changes it while the server runs.
	digest := sha256.Sum256([]byte(b.server + b.config))
	command := proc.Command{
		Name: b.name, Path: b.server, Args: append([]string{"--defaults-file=" + b.configFile()}, b.arguments...),
		Env: []string{"LC_ALL=C", "TZ=UTC"}, Dir: b.dir, Log: filepath.Join(b.dir, "server.log"),
		Fingerprint: hex.EncodeToString(digest[:]),
	}
	if b.detached {
		command.Record = proc.RecordIn(b.dir)
		running, err := proc.Find(command.Record)
		if err != nil {
			return err
		}
		if running != nil && running.Fingerprint() == command.Fingerprint {
			b.process = running
			return nil
		}
		if running != nil {
			if err := running.Stop(ctx); err != nil {
				return err
			}
		}
	}
	var err error
	b.process, err = proc.Start(command)
	return err
}

// prepare writes the configuration and, the first time, makes the data directory. That takes its name only when it is
// complete, so that an interrupted attempt leaves no half of one.
func (b *mariadbBody) prepare(ctx context.Context) error {
	data := filepath.Join(b.dir, "data")
	if err := os.MkdirAll(filepath.Join(b.dir, "tmp"), 0o700); err != nil {
		return err
	}
	primary, err := RecordedPrimary(filepath.Dir(b.dir))
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.configFile(), []byte(b.config+roleLines(primary != b.name)), 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(data); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	users, unfinished := filepath.Join(b.dir, "users.sql"), data+".new"
	if err := errors.Join(os.RemoveAll(unfinished), os.WriteFile(users, []byte(rootUsers(b.root)), 0o600)); err != nil {
		return err
	}
	defer os.Remove(users) //nolint:errcheck // the whole directory is private
	// #nosec G204 -- a program of the system's package
	command := exec.CommandContext(ctx, b.install, "--defaults-file="+b.configFile(), "--datadir="+unfinished,
		"--skip-test-db", "--auth-root-authentication-method=normal", "--extra-file="+users)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, proc.LastLines(output, 15))
	}
	return os.Rename(unfinished, data)
}

func (b *mariadbBody) configFile() string { return filepath.Join(b.dir, "my.cnf") }

// rootUsers gives root a password on the socket and on 127.0.0.1, and removes every other way in, before the server has
// listened anywhere. Nothing of it reaches the binary log.
func rootUsers(password string) string {
	var sql strings.Builder
	sql.WriteString("DELETE FROM mysql.global_priv WHERE User IN ('', 'root');\nFLUSH PRIVILEGES;\n")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		fmt.Fprintf(&sql, "CREATE USER 'root'@'%s' IDENTIFIED BY %s;\n", host, quote(password))
		fmt.Fprintf(&sql, "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%s' WITH GRANT OPTION;\n", host)
	}
	return sql.String()
}

func (b *mariadbBody) stop(ctx context.Context) error {
	if b.process == nil {
		return nil
	}
	return b.process.Stop(ctx)
}

func (b *mariadbBody) kill() error {
	if b.process == nil {
		return nil
	}
	if err := b.process.Kill(); err != nil {
		return err
	}
	// It may lie outside of the folder, where nobody else would look for what is left.
	if err := os.Remove(socketPath(b.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (b *mariadbBody) pause() error  { return b.process.Pause() }
func (b *mariadbBody) resume() error { return b.process.Continue() }

// hasSource tells whether the server, running or not, was last told to replicate from another: a promotion ends with RESET SLAVE
// ALL, which removes the file.
func (b *mariadbBody) hasSource() (bool, error) {
	_, err := os.Stat(filepath.Join(b.dir, "data", "master.info"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// demote has nothing to do: the pair's record of the roles is read at every start.
func (b *mariadbBody) demote(context.Context) error { return nil }

func (b *mariadbBody) client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error) {
	path, err := lookPath(program)
	if err != nil {
		return nil, err
	}
	line := append([]string{"--no-defaults", "--user=root", "--socket=" + socketPath(b.dir)}, arguments...)
	return exec.CommandContext(ctx, path, line...), nil // #nosec G204 -- a program of the system's package
}
