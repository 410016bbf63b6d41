package dbpair

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"oms.internal/servers/proc"
)

// mysqlImage describes the image of a server, of the version in deploy/compose.yaml.
//
//go:embed mysql.Dockerfile
var mysqlImage string

// mysqlContainer is a MySQL server in a container.
type mysqlContainer struct {
	container string
	run       []string // the arguments of `docker run`
	created   bool
}

// removeContainers is a reaper's script that removes the network $1 and, with their volumes, the containers that follow.
const removeContainers = `network="$1"; shift; docker rm -f -v "$@" >/dev/null 2>&1; docker network rm "$network" >/dev/null 2>&1; true`

func newMySQLPair(ctx context.Context, options Options) (*Pair, error) {
	image, err := buildMySQL(ctx)
	if err != nil {
		return nil, err
	}
	prefix := "oms-test-" + strings.ToLower(rand.Text()[:10])
	build := func(name string, id, port int) *Server {
		container := prefix + "-" + name
		run := []string{
			"run", "--detach", "--name", container, "--network", prefix, "--network-alias", name,
			"--publish", fmt.Sprintf("127.0.0.1:%d:3306", port),
			"--env", "MYSQL_ROOT_PASSWORD=" + options.RootPassword,
		}
		arguments := mysqlArguments(id, options.BufferPool)
		if options.CertFile != "" {
			const cert, key = "/etc/oms/server.pem", "/etc/oms/server.key"
			run = append(run, "--volume", options.CertFile+":"+cert+":ro", "--volume", options.KeyFile+":"+key+":ro")
			arguments = append(arguments, "--ssl-cert="+cert, "--ssl-key="+key)
		}
		return &Server{
			name: name, port: port, rootPassword: options.RootPassword,
			instance: &mysqlContainer{container: container, run: append(append(run, image), arguments...)},
		}
	}
	pair := &Pair{
		RootPassword: options.RootPassword, Report: options.Report,
		engine: newMySQLReplication(), replicatorPassword: options.ReplicatorPassword,
		Primary: build(primaryName, 1, options.PrimaryPort), Replica: build(replicaName, 2, options.ReplicaPort),
	}
	if pair.reaper, err = proc.StartReaper(removeContainers, prefix, prefix+"-"+primaryName, prefix+"-"+replicaName); err != nil {
		return nil, err
	}
	if _, err := docker(ctx, "network", "create", prefix); err != nil {
		return nil, err
	}
	return pair, nil
}

// buildMySQL makes the image of a server, or finds the one that an earlier test made.
func buildMySQL(ctx context.Context) (image string, err error) {
	command := exec.CommandContext(ctx, "docker", "build", "--quiet", "--tag", "oms-test-mysql", "-")
	command.Stdin = strings.NewReader(mysqlImage)
	output, err := command.Output()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		err = fmt.Errorf("%w\n%s", err, proc.LastLines(exit.Stderr, 10))
	}
	if err != nil {
		return "", fmt.Errorf("docker build: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}

// Container is a MySQL server in a container that somebody else made.
type Container struct {
	ID   string
	Name string // "primary" or "replica", after its first role; also its name in the containers' network
	Port int    // on 127.0.0.1
}

// OpenContainers returns the pair in two containers, such as those of deploy/compose.yaml. Like Open, it starts nothing.
func OpenContainers(rootPassword, replicatorPassword string, containers [2]Container) *Pair {
	pair := &Pair{RootPassword: rootPassword, engine: newMySQLReplication(), replicatorPassword: replicatorPassword}
	var servers [2]*Server
	for i, one := range containers {
		servers[i] = &Server{
			name: one.Name, port: one.Port, rootPassword: rootPassword, instance: &mysqlContainer{container: one.ID, created: true},
		}
	}
	pair.Primary, pair.Replica = servers[0], servers[1]
	return pair
}

// mysqlArguments configure a server as deploy/mysql does, but with less memory. That folder explains each setting.
func mysqlArguments(id int, bufferPool string) []string {
	return []string{
		fmt.Sprintf("--server-id=%d", id),
		"--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--log-bin=binlog", "--log-replica-updates=ON",
		"--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--replica-net-timeout=10", "--relay-log-recovery=ON",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_520_ci", "--default-time-zone=+00:00",
		"--plugin-load-add=semisync_source.so", "--plugin-load-add=semisync_replica.so",
		"--loose-rpl-semi-sync-source-enabled=ON", "--loose-rpl-semi-sync-replica-enabled=ON",
		"--loose-rpl-semi-sync-source-wait-point=AFTER_SYNC",
		fmt.Sprintf("--loose-rpl-semi-sync-source-timeout=%d", semiSyncTimeout),
		"--skip-name-resolve", "--mysqlx=0", "--max-connections=200",
		"--innodb-buffer-pool-size=" + bufferPool, "--innodb-redo-log-capacity=32M",
	}
}

// docker runs one command of the Docker client and returns what it printed.
func docker(ctx context.Context, arguments ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "docker", arguments...).CombinedOutput() // #nosec G204 -- our own arguments
	if err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", arguments[0], err, proc.LastLines(output, 10))
	}
	return strings.TrimSpace(string(output)), nil
}

// Running fails if Docker does not answer, because the server may take writes nevertheless.
func (c *mysqlContainer) Running() (bool, error) {
	state, err := docker(context.Background(), "container", "inspect", "--format", "{{.State.Running}}", c.container)
	// The docker command ends with 1 whatever is wrong, so only its text tells.
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "no such container") {
		return false, nil
	}
	return err == nil && state == "true", err
}

func (c *mysqlContainer) Tail(lines int) []byte {
	log, err := docker(context.Background(), "logs", "--tail", fmt.Sprint(lines), c.container)
	if err != nil {
		return []byte(err.Error())
	}
	return []byte(log)
}

func (c *mysqlContainer) start(ctx context.Context) error {
	arguments := c.run
	if c.created {
		arguments = []string{"start", c.container}
	}
	_, err := docker(ctx, arguments...)
	c.created = c.created || err == nil
	return err
}

func (c *mysqlContainer) Stop(ctx context.Context) error {
	_, err := docker(ctx, "stop", "--time", "60", c.container)
	return err
}

func (c *mysqlContainer) Kill() error {
	running, err := c.Running()
	if err != nil || !running {
		return err
	}
	_, err = docker(context.Background(), "kill", c.container)
	return err
}

// Pause tries again if the kernel could not freeze a busy server: cgroups version 1 does not promise to, and runc gives up after a
// while (https://github.com/opencontainers/runc/pull/2791).
func (c *mysqlContainer) Pause() error {
	const tries = 20
	var err error
	for range tries {
		_, err = docker(context.Background(), "pause", c.container)
		if err == nil || !strings.Contains(err.Error(), "unable to freeze") {
			break
		}
	}
	return err
}

// Continue does nothing to a server that is not paused. Docker would refuse that, but a process takes the signal without effect.
func (c *mysqlContainer) Continue() error {
	paused, err := docker(context.Background(), "inspect", "--format", "{{.State.Paused}}", c.container)
	if err != nil || strings.TrimSpace(paused) != "true" {
		return err
	}
	_, err = docker(context.Background(), "unpause", c.container)
	return err
}

// demote writes into the container's file what SET PERSIST would have written.
func (c *mysqlContainer) demote(ctx context.Context) error {
	// The server ignores the file if the time is a small number.
	variable := fmt.Sprintf(`{"Value": "ON", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": %d}}`,
		time.Now().UnixMicro())
	content := []byte(`{"Version": 2, "mysql_dynamic_variables": {"read_only": ` + variable + `, "super_read_only": ` + variable + "}}")
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	// The file is readable by all, because the image's user has a number of its own. It holds no secret.
	header := tar.Header{Name: "mysqld-auto.cnf", Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := writer.WriteHeader(&header); err != nil {
		return err
	}
	if _, err := writer.Write(content); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "docker", "cp", "-", c.container+":/var/lib/mysql/") // #nosec G204 -- our own arguments
	command.Stdin = &archive
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("docker cp: %w\n%s", err, proc.LastLines(output, 10))
	}
	return nil
}

func (c *mysqlContainer) client(ctx context.Context, program string, arguments ...string) (*exec.Cmd, error) {
	line := append([]string{"exec", "--interactive", "--env", "MYSQL_PWD", c.container, program, "--user=root"}, arguments...)
	return exec.CommandContext(ctx, "docker", line...), nil // #nosec G204 -- our own arguments
}
