package native

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// clone makes a repository with stand-ins for the three services and the real configuration of the servers.
func clone(t *testing.T) stack.Stack {
	t.Helper()
	root := t.TempDir()
	repository, err := filepath.Abs("../../..")
	require.NoError(t, err)
	service, err := os.ReadFile("testdata/service.go.txt")
	require.NoError(t, err)
	for name, source := range sources {
		if source == "deploy" { // linked below
			continue
		}
		folder := filepath.Join(root, source, "cmd", name)
		require.NoError(t, os.MkdirAll(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), service, 0o600))
		module := "module oms.internal/" + name + "\n\ngo 1.26.0\n"
		require.NoError(t, os.WriteFile(filepath.Join(root, source, "go.mod"), []byte(module), 0o600))
	}
	for _, folder := range []string{"libs", "sql", "deploy"} {
		require.NoError(t, os.Symlink(filepath.Join(repository, folder), filepath.Join(root, folder)))
	}
	s := stack.Stack{Root: root, Choices: stack.Choices{}}
	for _, port := range s.Ports.List() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close() // held until all ports have been chosen, so that they differ
		*port.Number = listener.Addr().(*net.TCPAddr).Port
	}
	return s
}

func pids(t *testing.T, r *Runner) map[string]int {
	t.Helper()
	running, err := r.Running()
	require.NoError(t, err)
	numbers := map[string]int{}
	for name, process := range running {
		numbers[name] = process.PID()
	}
	return numbers
}

// TestMain is the supervisor, too, because a stack runs a copy of this program as its own.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "supervise" {
		os.Exit(m.Run())
	}
	s := stack.Stack{Folder: os.Getenv("OMS_DATA")}
	record, _, err := s.Recorded()
	if err != nil {
		panic(err)
	}
	s.Ports, s.Choices = record.Ports, record.Choices
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := New(s, os.Stdout).Supervise(ctx); err != nil {
		panic(err)
	}
}

func TestAPortThatSomebodyElseHasIsAnErrorBeforeAnythingStarts(t *testing.T) {
	s := clone(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	s.Ports.NATS = taken.Addr().(*net.TCPAddr).Port
	runner := New(s, &strings.Builder{})
	require.ErrorContains(t, runner.Up(t.Context()), "set NATS_PORT to another")
	require.Empty(t, pids(t, runner))
}

func TestADamagedSecretIsAnErrorBeforeAnythingStarts(t *testing.T) {
	s := clone(t)
	require.NoError(t, secret.Ensure(s.Secrets(), time.Now()))
	for _, name := range []string{"mysql-root", "nats-gateway", secret.PrincipalKey} {
		file := filepath.Join(s.Secrets(), name)
		right, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, right[:len(right)/2], 0o600))
		runner := New(s, &strings.Builder{})
		require.ErrorContains(t, runner.Up(t.Context()), file)
		require.Empty(t, pids(t, runner))
		require.NoError(t, os.WriteFile(file, right, 0o600))
	}
}

func TestAServiceIsGivenItsOwnSecretsAndNothingOfOurs(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.test")
	runner := New(stack.Stack{Root: "/clone", Choices: stack.Choices{"LOG_LEVEL": "debug", "ACCOUNTS_DIRECTORY": "open"}}, &strings.Builder{})
	for name, foreign := range map[string][]string{
		"accounts": {"orders_", "mysql-orders", "nats-orders", "PRIVATE"},
		"orders":   {"accounts_", "mysql-accounts", "nats-accounts", "PRIVATE", "TOKEN_KEYS_DIR", "ACCOUNTS_DIRECTORY", "IDEMPOTENCY"},
		"gateway":  {"MYSQL", "nats-orders", "nats-accounts", "TOKEN_KEYS_DIR", "ACCOUNTS_DIRECTORY", "IDEMPOTENCY", "EVENTS"},
	} {
		all := strings.Join(runner.environment(name), "\n")
		require.Contains(t, all, "LOG_LEVEL=debug")
		require.NotContains(t, all, "PROXY", name)
		require.NotContains(t, all, "mysql-root", name)
		for _, part := range foreign {
			require.NotContains(t, all, part, name)
		}
	}
}

func TestAProcessIsStartedAgainAlthoughTheClockWasSetBack(t *testing.T) {
	runner := New(stack.Stack{Folder: t.TempDir()}, &strings.Builder{})
	orders := runner.named("orders")
	for _, folder := range []string{runner.runDir(), runner.logDir()} {
		require.NoError(t, os.MkdirAll(folder, 0o700))
	}
	process, err := proc.Start(proc.Command{
		Name: orders.name, Path: "/bin/sleep", Args: []string{"600"}, Dir: t.TempDir(), Log: orders.log, Record: orders.record, Restarts: 5,
	})
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(process.PID(), syscall.SIGKILL))
	require.NoError(t, proc.Poll(t.Context(), func() error {
		if process.Alive() {
			return errors.New("it still runs")
		}
		return nil
	}))
	runner.revive(t.Context(), process.Started().Add(pause(5)-1), map[string]time.Time{})
	require.Empty(t, pids(t, runner), "the pause is not over")
	failed := map[string]time.Time{orders.name: process.Started()}
	runner.revive(t.Context(), process.Started().Add(-time.Hour), failed)
	found, err := proc.Find(orders.record)
	require.NoError(t, err)
	require.NotNil(t, found)
	t.Cleanup(func() { require.NoError(t, found.Kill()) })
	require.Equal(t, 6, found.Restarts())
}

func TestThePauseBetweenStartsGrowsAndIsBounded(t *testing.T) {
	for restarts, want := range map[int]time.Duration{
		0: 0, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 1000: 10 * time.Second,
	} {
		require.Equal(t, want, pause(restarts), "%d", restarts)
	}
}
