package natsserver

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"oms.internal/servers/proc"
)

const (
	natsModule    = "github.com/nats-io/nats-server/v2"
	serversModule = "oms.internal/servers"
)

// Build returns the path of the nats-server binary of the version that this module's go.mod pins. The first call on a machine
// builds it into the user's cache folder. That takes a while, so Build says so on progress.
//
// servers is the folder of the module oms.internal/servers. If it is empty, the go command is asked, which knows the folder in
// every module that requires this one.
func Build(ctx context.Context, servers string, progress io.Writer) (binary string, err error) {
	if binary, err = build(ctx, servers, progress); err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	return binary, nil
}

func build(ctx context.Context, servers string, progress io.Writer) (binary string, err error) {
	if servers == "" {
		if servers, err = goCommand(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}", serversModule); err != nil {
			return "", err
		}
	}
	alone := []string{"GOWORK=off", "CGO_ENABLED=0"}
	version, err := goCommand(ctx, servers, alone, "list", "-m", "-f", "{{.Version}}", natsModule)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	binary = filepath.Join(cache, "oms", fmt.Sprintf("nats-server-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH))
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return "", err
	}
	unlock, err := lockFile(binary + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	_, _ = fmt.Fprintf(progress, "building nats-server %s into %s (once, about half a minute)\n", version, filepath.Dir(binary))
	// The binary gets its name when it is complete, so that an interrupted build leaves none that looks whole.
	unfinished := fmt.Sprintf("%s.%d", binary, os.Getpid())
	if _, err := goCommand(ctx, servers, alone, "build", "-trimpath", "-ldflags=-s -w", "-o", unfinished, natsModule); err != nil {
		return "", err
	}
	return binary, os.Rename(unfinished, binary)
}

// lockFile waits until this process alone holds the lock of a file. The lock also ends with the process.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- in the user's cache
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}

func goCommand(ctx context.Context, dir string, environment []string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", arguments...) // #nosec G204 -- our own arguments
	command.Dir, command.Env = dir, append(os.Environ(), environment...)
	var problems strings.Builder
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", arguments[0], err, proc.LastLines([]byte(problems.String()), 15))
	}
	return strings.TrimSpace(string(output)), nil
}
