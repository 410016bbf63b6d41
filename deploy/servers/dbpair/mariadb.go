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

	"github.com/google/renameio/v2"

	"oms.internal/servers/packages"
	"oms.internal/servers/proc"
)

// mariadbProcess is a MariaDB server as a process. Everything of it is in one folder: configuration, data, socket, log.
type mariadbProcess struct {
	*proc.Process
	name     string
	dir      string
	config   string // without the role
	server   string // path of mariadbd
	install  string // path of mariadb-install-db
	root     string // root's password
	detached bool
	// arguments are for the next start only.
	arguments []string
	restarts  int // see proc.Command
}

func newMariaDBPair(options Options) (*Pair, error) {
	server, install, err := findMariaDB()
	if err != nil {
		return nil, err
	}
	pair := &Pair{RootPassword: options.RootPassword, Report: options.Report, replicatorPassword: options.ReplicatorPassword}
	dir := options.Dir
	if !options.Detached {
		if dir, err = os.MkdirTemp(options.Dir, "oms-pair-"); err != nil {
			return nil, fmt.Errorf("make the pair's folder: %w", err)
		}
		if pair.reaper, err = proc.StartReaper(proc.RemoveDirectories, dir); err != nil {
			return nil, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("folder of the pair: %w", err)
	}
	build := func(name string, id, port int) (*Server, error) {
		own := filepath.Join(dir, name)
		config, err := mariadbConfig(own, id, port, options)
		process := &mariadbProcess{
			name: name, dir: own, server: server, install: install, root: options.RootPassword, detached: options.Detached, config: config,
		}
		return &Server{name: name, port: port, rootPassword: options.RootPassword, instance: process}, err
	}
	var primaryErr, replicaErr error
	pair.engine = newMariaDBReplication(dir)
	pair.Primary, primaryErr = build(primaryName, 1, options.PrimaryPort)
	pair.Replica, replicaErr = build(replicaName, 2, options.ReplicaPort)
	recorded, err := RecordedPrimary(dir)
	if recorded == replicaName {
		pair.swap()
	}
	return pair, errors.Join(primaryErr, replicaErr, err)
}

// Open returns the detached pair that an earlier Start started. It starts nothing, and either server may be down. The roles are the
// recorded ones until Orient, Failover or Rejoin has asked the servers.
func Open(options Options) (*Pair, error) {
	options.Detached = true
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open database pair: %w", err)
	}
	pair, err := newMariaDBPair(options)
	if err != nil {
		return nil, fmt.Errorf("open database pair: %w", err)
	}
	for _, server := range []*Server{pair.Primary, pair.Replica} {
		process := server.instance.(*mariadbProcess)
		if process.Process, err = proc.Find(proc.RecordIn(process.dir)); err != nil {
			return nil, fmt.Errorf("open database pair: %w", err)
		}
	}
	return pair, nil
}

func (p *mariadbProcess) start(ctx context.Context) (err error) {
	if p.Alive() {
		return nil
	}
	if err := p.prepare(ctx); err != nil {
		return fmt.Errorf("prepare %s: %w", p.name, err)
	}
	// The fingerprint leaves out the role, because a failover changes the role while the server runs.
	digest := sha256.Sum256([]byte(p.server + p.config))
	command := proc.Command{
		Name: p.name, Path: p.server, Args: append([]string{"--defaults-file=" + p.configFile()}, p.arguments...),
		Env: []string{"LC_ALL=C", "TZ=UTC"}, Dir: p.dir, Log: filepath.Join(p.dir, "server.log"),
		Fingerprint: hex.EncodeToString(digest[:]), Restarts: p.restarts,
	}
	if p.detached {
		command.Record = proc.RecordIn(p.dir)
	}
	p.Process, _, err = proc.Ensure(ctx, command)
	return err
}

// prepare writes the configuration and, the first time, makes the data folder. The data folder gets its name when it is complete, so
// that an interrupted start leaves no half of one.
func (p *mariadbProcess) prepare(ctx context.Context) error {
	data := dataIn(p.dir)
	if err := os.MkdirAll(filepath.Join(p.dir, "tmp"), 0o700); err != nil {
		return err
	}
	primary, err := RecordedPrimary(filepath.Dir(p.dir))
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(p.configFile(), []byte(p.config+roleLines(primary != p.name)), 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	unfinished := data + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	makeData := p.copyMadeData
	if p.detached {
		makeData = p.makeData
	}
	if err := makeData(ctx, unfinished); err != nil {
		return err
	}
	// The record is there before any data, so that one that is missing later was lost.
	if err := recordPrimary(filepath.Dir(p.dir), primary); err != nil {
		return err
	}
	return os.Rename(unfinished, data)
}

// dataIn returns the folder with the data of the server in dir.
func dataIn(dir string) string { return filepath.Join(dir, "data") }

func (p *mariadbProcess) configFile() string { return filepath.Join(p.dir, "my.cnf") }

// Kill also removes the socket. It may lie outside of the server's folder, where nobody else would look for it.
func (p *mariadbProcess) Kill() error {
	if err := p.Process.Kill(); err != nil {
		return err
	}
	if err := os.Remove(socketPath(p.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// hasSource reports whether the server in dir, running or not, was last a replica. A promotion ends with RESET REPLICA ALL, which removes
// the file.
func hasSource(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dataIn(dir), "master.info"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// demote lets nobody start the server again by itself. Every other start reads the pair's record of the roles.
func (p *mariadbProcess) demote(context.Context) error {
	if !p.detached || p.Alive() {
		return nil
	}
	return proc.Forget(proc.RecordIn(p.dir))
}

func (p *mariadbProcess) client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error) {
	path, err := packages.Find(program)
	if err != nil {
		return nil, err
	}
	line := append([]string{"--no-defaults", "--user=root", "--socket=" + socketPath(p.dir)}, arguments...)
	return exec.CommandContext(ctx, path, line...), nil // #nosec G204 -- a program of the system's package
}
