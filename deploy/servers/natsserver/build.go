package natsserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"oms.internal/servers/proc"
)

// Build returns the path of the nats-server binary, at the version that this module's go.mod pins as a tool. The go command builds the
// binary and keeps it in its cache, so that only the first call takes time: a minute or two on two processors.
//
// servers is the folder of the module oms.internal/servers. If it is empty, the go command is asked, which knows the folder in
// every module that requires this one. A process asks once for each folder, because the go command takes a quarter of a second.
func Build(ctx context.Context, servers string) (binary string, err error) {
	built.Lock()
	defer built.Unlock()
	if binary, found := built.binaries[servers]; found {
		return binary, nil
	}
	binary, err = build(ctx, servers)
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	built.binaries[servers] = binary
	return binary, nil
}

// built holds the binaries of this process, by folder.
var built = struct {
	sync.Mutex
	binaries map[string]string
}{binaries: map[string]string{}}

func build(ctx context.Context, servers string) (binary string, err error) {
	if servers == "" {
		servers, err = goCommand(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}", "oms.internal/servers")
	}
	if err == nil {
		binary, err = goCommand(ctx, servers, []string{"GOWORK=off", "CGO_ENABLED=0"}, "tool", "-n", "nats-server")
	}
	return binary, err
}

func goCommand(ctx context.Context, dir string, environment []string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", arguments...) // #nosec G204 -- our own arguments
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	output, err := command.Output()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		err = fmt.Errorf("%w\n%s", err, proc.LastLines(exit.Stderr, 15))
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", arguments[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}
