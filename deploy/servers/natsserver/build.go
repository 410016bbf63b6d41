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

// Build returns the path of the nats-server binary, at the version that its go.mod pins. The first call on a
// machine builds it into the user's cache directory, and says so on progress, since that takes a while.
//
// servers is the folder of the module oms.internal/servers; if empty, the go command is asked, which knows it in any module
// that uses it.
func Build(ctx context.Context, servers string, progress io.Writer) (string, error) {
	var err error
	if servers == "" {
		if servers, err = goCommand(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}", serversModule); err != nil {
			return "", fmt.Errorf("find %s: %w", serversModule, err)
		}
	}
	alone := []string{"GOWORK=off", "CGO_ENABLED=0"}
	version, err := goCommand(ctx, servers, alone, "list", "-m", "-f", "{{.Version}}", natsModule)
	if err != nil {
		return "", fmt.Errorf("version of nats-server: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache of nats-server: %w", err)
	}
	binary := filepath.Join(cache, "oms", fmt.Sprintf("nats-server-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		return "", fmt.Errorf("cache of nats-server: %w", err)
	}
	unlock, err := lockFile(binary + ".lock")
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	defer unlock()
	// Another process may have built it while we waited.
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	_, _ = fmt.Fprintf(progress, "building nats-server %s into %s (once, about half a minute)\n", version, filepath.Dir(binary))
	unfinished := fmt.Sprintf("%s.%d", binary, os.Getpid())
	if _, err := goCommand(ctx, servers, alone, "build", "-trimpath", "-ldflags=-s -w", "-o", unfinished, natsModule); err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	if err := os.Rename(unfinished, binary); err != nil {
		return "", fmt.Errorf("build nats-server: %w", err)
	}
	return binary, nil
}

// lockFile waits for an exclusive lock, which also ends with the process that holds it.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- in our own cache
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
