package dbpair

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"oms.internal/servers/proc"
)

// mysqlContainer is a MySQL server in a container.
type mysqlContainer struct {
	container string
	run       []string // the arguments of `docker run`
	created   bool
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
