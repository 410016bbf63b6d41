package dbpair

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"oms.internal/servers/proc"
)

// mysqlImage describes the image of a server, of the version in deploy/compose.yaml.
//
//go:embed mysql.Dockerfile
var mysqlImage string

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
