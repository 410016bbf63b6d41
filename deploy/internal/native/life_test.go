package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"

	"oms.internal/deploy/internal/stack"
)

func TestTheNativeStackLivesFromUpToDown(t *testing.T) {
	s := clone(t)
	var out strings.Builder
	program, err := os.Executable()
	require.NoError(t, err)
	runner := New(s, &out).Supervised(program)
	t.Cleanup(func() { require.NoError(t, runner.Down(context.Background())) })
	require.NoError(t, runner.Up(t.Context()))
	require.Len(t, pids(t, runner), 8)
	require.NoError(t, runner.PS(t.Context()))
	require.Equal(t, 3, strings.Count(out.String(), "ready, but degraded; no replica answers\n"))

	l := &living{s, runner, &out}
	for _, step := range []func(*testing.T){
		l.changesNothing,
		l.boundsItsLogs,
		l.restartsWhatChanged,
		l.leavesKeysToAccounts,
		l.readsARenewedCertificate,
		l.readsAnotherSecret,
		l.namesAWrongPassword,
		l.revivesWhatEnded,
		l.revivesAServerAtItsNewPort,
		l.startsWhatWasKilled,
		l.showsAndReplacesWhatHangs,
		l.findsProcessesWithoutRecords,
		l.reportsWhatDoesNotStart,
		l.keepsWhatRanBefore,
		l.leavesAMigrationToItsEnd,
		l.namesWrongSettings,
	} {
		step(t)
	}

	migrating := l.migratesForEver(t)
	out.Reset()
	require.NoError(t, runner.Down(t.Context()))
	require.Empty(t, pids(t, runner))
	require.False(t, migrating.Alive())
	require.Less(t, strings.Index(out.String(), "stopping gateway"), strings.Index(out.String(), "stopping nats"))
	require.Less(t, strings.Index(out.String(), "stopping replica"), strings.Index(out.String(), "stopping primary"))
}

// living is a stack that runs. Its methods are what happens to it one after another, because a start takes long.
type living struct {
	stack  stack.Stack
	runner *Runner
	out    *strings.Builder
}

// otherSecret is a secret that may be one, and is not the one that was made.
var otherSecret = strings.Repeat("x", 32)

// changesNothing: a second up changes nothing, and says so.
func (l *living) changesNothing(t *testing.T) {
	t.Helper()
	first := pids(t, l.runner)
	l.out.Reset()
	require.NoError(t, l.runner.Up(t.Context()))
	for _, name := range []string{"primary goes on unchanged", "nats goes on unchanged", "orders is ready, and goes on unchanged"} {
		require.Contains(t, l.out.String(), name)
	}
	require.Equal(t, first, pids(t, l.runner))
}

// boundsItsLogs: a log that grows is rotated while its process goes on, and what is moved away is still shown.
func (l *living) boundsItsLogs(t *testing.T) {
	t.Helper()
	before := pids(t, l.runner)
	const first = `{"time":"2026-11-30T04:21:26Z","request_id":"long ago"}` + "\n"
	for _, part := range l.runner.parts() {
		log, err := os.OpenFile(part.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = log.WriteString(first + strings.Repeat("a line\n", proc.LogLimit/len("a line\n")))
		require.NoError(t, errors.Join(err, log.Close()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, part := range l.runner.parts() {
		require.NoError(t, proc.Poll(ctx, func() error {
			info, err := os.Stat(part.log)
			if err == nil && info.Size() > proc.LogLimit {
				err = errors.New("it was not rotated")
			}
			return err
		}), part.name)
		require.FileExists(t, part.log+".1")
	}
	require.Equal(t, before, pids(t, l.runner))
	l.out.Reset()
	require.NoError(t, l.runner.Logs(t.Context(), "", false))
	require.GreaterOrEqual(t, strings.Count(l.out.String(), "a line\n"), 7*50, "of the supervisor's, the end may be others")
	found := 0
	require.NoError(t, l.runner.ServiceLogs(t.Context(), func(log io.Reader) error {
		content, err := io.ReadAll(log)
		found += strings.Count(string(content), first)
		return err
	}))
	require.Equal(t, len(l.runner.services()), found)
}

// restartsWhatChanged: what changed is restarted, and nothing else.
func (l *living) restartsWhatChanged(t *testing.T) {
	t.Helper()
	first := pids(t, l.runner)
	main := filepath.Join(l.stack.Root, "services/orders/cmd/orders/main.go")
	source, err := os.ReadFile(main) // #nosec G304 -- a folder of this test
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(main, []byte(strings.ReplaceAll(string(source), "the level", "The level")), 0o600))
	require.NoError(t, l.runner.Up(t.Context()))
	l.requireReplaced(t, first, "orders")
}

// requireReplaced holds that one process was replaced since, and no other.
func (l *living) requireReplaced(t *testing.T, before map[string]int, name string) {
	t.Helper()
	after := pids(t, l.runner)
	require.NotEqual(t, before[name], after[name])
	after[name] = before[name]
	require.Equal(t, before, after)
}

// leavesKeysToAccounts: accounts notices a new key by itself.
func (l *living) leavesKeysToAccounts(t *testing.T) {
	t.Helper()
	keys, err := filepath.Glob(filepath.Join(l.stack.Secrets(), "token-keys", "*.pem"))
	require.NoError(t, err)
	key, err := os.ReadFile(keys[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(l.stack.Secrets(), "token-keys", "new.pem"), key, 0o600))
	before := pids(t, l.runner)
	require.NoError(t, l.runner.Up(t.Context()))
	require.Equal(t, before, pids(t, l.runner))
}

// readsARenewedCertificate: a certificate that was renewed in its place is read by a new process.
func (l *living) readsARenewedCertificate(t *testing.T) {
	t.Helper()
	for _, name := range []string{"TLS_CERT_FILE", "TLS_KEY_FILE"} {
		l.stack.Choices[name] = filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(l.stack.Choices[name], []byte("old"), 0o600))
	}
	require.NoError(t, l.runner.Up(t.Context()))
	before := pids(t, l.runner)
	require.NoError(t, os.WriteFile(l.stack.Choices["TLS_CERT_FILE"], []byte("new"), 0o600))
	require.NoError(t, l.runner.Up(t.Context()))
	l.requireReplaced(t, before, "gateway")
}

// readsAnotherSecret: a service reads its secrets when it starts, so another secret needs another process.
func (l *living) readsAnotherSecret(t *testing.T) {
	t.Helper()
	before := pids(t, l.runner)
	l.out.Reset()
	require.NoError(t, os.WriteFile(filepath.Join(l.stack.Secrets(), "idempotency"), []byte(otherSecret), 0o600))
	require.NoError(t, l.runner.Up(t.Context()))
	require.Contains(t, l.out.String(), "accounts was replaced while it served, because of IDEMPOTENCY_SECRET_FILE")
	l.requireReplaced(t, before, "accounts")
}

// namesAWrongPassword: a password that the database does not know is named, and nothing waits for it.
func (l *living) namesAWrongPassword(t *testing.T) {
	t.Helper()
	for _, name := range []string{"mysql-root", "mysql-orders-app", "mysql-replicator"} {
		file := filepath.Join(l.stack.Secrets(), name)
		right, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte(otherSecret), 0o600))
		err = l.runner.Up(t.Context())
		require.ErrorContains(t, err, "than "+file+" holds; put the right file back")
		require.NoError(t, os.WriteFile(file, right, 0o600))
	}
}

// revivesWhatEnded: what ends by itself is started again, and that is shown.
func (l *living) revivesWhatEnded(t *testing.T) {
	t.Helper()
	for _, name := range []string{"nats", "orders", "primary", "replica"} {
		l.crash(t, name)
		require.Regexp(t, name+` .*after 1 restarts`, l.out.String())
	}
	require.NoError(t, l.runner.Up(t.Context()), "which waits until the databases are whole")
}

// crash kills a part and waits until the supervisor has started it again, and all parts are well.
func (l *living) crash(t *testing.T, name string) {
	t.Helper()
	before := pids(t, l.runner)
	require.NoError(t, syscall.Kill(before[name], syscall.SIGKILL))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, proc.Poll(ctx, func() error {
		if now := pids(t, l.runner); now[name] == 0 || now[name] == before[name] {
			return fmt.Errorf("%s runs as process %d", name, now[name])
		}
		return nil
	}))
	require.NoError(t, proc.Poll(ctx, func() error {
		l.out.Reset()
		return l.runner.PS(t.Context())
	}))
}

// revivesAServerAtItsNewPort: the supervisor is not replaced for another port of a server, and starts the server there nevertheless.
func (l *living) revivesAServerAtItsNewPort(t *testing.T) {
	t.Helper()
	before := pids(t, l.runner)
	port, err := proc.FreePort()
	require.NoError(t, err)
	l.runner.stack.Ports.Primary = port
	require.NoError(t, l.runner.Up(t.Context()))
	after := pids(t, l.runner)
	require.NotEqual(t, before["primary"], after["primary"])
	require.Equal(t, before["supervisor"], after["supervisor"])
	l.crash(t, "primary")
	require.NoError(t, l.runner.Up(t.Context()))
	require.Contains(t, l.out.String(), "primary goes on unchanged")
}

// startsWhatWasKilled: what was killed comes back.
func (l *living) startsWhatWasKilled(t *testing.T) {
	t.Helper()
	replica, err := proc.Find(filepath.Join(l.stack.Data(), "mariadb", "replica", "process.json"))
	require.NoError(t, err)
	require.NoError(t, replica.Kill())
	require.Error(t, l.runner.PS(t.Context()))
	require.NoError(t, l.runner.Up(t.Context()))
	require.NoError(t, l.runner.PS(t.Context()))
}

// showsAndReplacesWhatHangs: what hangs is shown as not ready, and replaced. A database server that hangs is for a failover.
func (l *living) showsAndReplacesWhatHangs(t *testing.T) {
	t.Helper()
	before := pids(t, l.runner)
	running, err := l.runner.Running()
	require.NoError(t, err)
	hanging := []string{"nats", "orders", "gateway", "replica", "supervisor"}
	for _, name := range hanging {
		require.NoError(t, running[name].Pause())
	}
	longAgo := time.Now().Add(-silence - time.Second)
	require.NoError(t, os.Chtimes(l.runner.supervisor().log, longAgo, longAgo))
	l.out.Reset()
	require.Error(t, l.runner.PS(t.Context()))
	for _, name := range hanging {
		require.Regexp(t, `(?m)^`+name+` .* not ready: `, l.out.String())
	}
	require.Regexp(t, `(?m)^accounts .* ready, but degraded`, l.out.String())
	require.Regexp(t, `(?m)^primary .* running as the primary`, l.out.String())

	l.out.Reset()
	require.NoError(t, l.runner.Up(t.Context()))
	require.Contains(t, l.out.String(), "nats was restarted, because it did not answer")
	require.Contains(t, l.out.String(), "orders was replaced, because it did not answer")
	require.Contains(t, l.out.String(), "server primary goes on alone: replica hangs")
	require.NoError(t, running["replica"].Continue())
	require.NoError(t, l.runner.PS(t.Context()))
	after := pids(t, l.runner)
	for _, name := range []string{"nats", "orders", "gateway", "supervisor"} {
		require.NotEqual(t, before[name], after[name])
		require.False(t, running[name].Alive())
		after[name] = before[name]
	}
	require.Equal(t, before, after)
}

// findsProcessesWithoutRecords: processes are found, and left alone, without the files that name them.
func (l *living) findsProcessesWithoutRecords(t *testing.T) {
	t.Helper()
	before := pids(t, l.runner)
	for _, part := range l.runner.parts() {
		require.NoError(t, os.Remove(part.record))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(l.stack.Data(), "stack.json")))
	require.NoError(t, os.RemoveAll(filepath.Join(l.stack.Data(), "run", "stack.json")))
	require.Equal(t, before, pids(t, l.runner))
	require.NoError(t, l.runner.Up(t.Context()))
	require.Equal(t, before, pids(t, l.runner))
}

// reportsWhatDoesNotStart: what does not start is reported with the end of its log.
func (l *living) reportsWhatDoesNotStart(t *testing.T) {
	t.Helper()
	l.stack.Choices["LOG_LEVEL"] = "broken"
	before := pids(t, l.runner)
	err := l.runner.Up(t.Context())
	require.ErrorContains(t, err, "The level is broken")
	require.ErrorContains(t, err, "orders still runs as before")
	require.Equal(t, before, pids(t, l.runner))
	require.NoError(t, l.runner.PS(t.Context()))
}

// nextRelease takes its settings and does not start.
const nextRelease = `package main

import "os"

func main() {
	if os.Args[1] != "check" {
		panic("the next release")
	}
}
`

// keepsWhatRanBefore: a release that does not start is not what the one that goes on is started again from, and its settings do not stay.
func (l *living) keepsWhatRanBefore(t *testing.T) {
	t.Helper()
	delete(l.stack.Choices, "LOG_LEVEL")
	require.NoError(t, l.runner.Up(t.Context()))
	main := filepath.Join(l.stack.Root, "services/accounts/cmd/accounts/main.go")
	source, err := os.ReadFile(main) // #nosec G304 -- a folder of this test
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(main, []byte(nextRelease), 0o600))
	l.stack.Choices["DRAIN_TIME"] = "2s"
	before := pids(t, l.runner)
	err = l.runner.Up(t.Context())
	require.ErrorContains(t, err, "panic: the next release")
	require.ErrorContains(t, err, "accounts still runs as before")
	require.Equal(t, before["accounts"], pids(t, l.runner)["accounts"])
	record, _, err := l.stack.Recorded()
	require.NoError(t, err)
	require.NotContains(t, record.Choices, "DRAIN_TIME")

	l.crash(t, "accounts")
	// A restore stops and starts the services.
	stopped, err := l.runner.StopServices(t.Context())
	require.NoError(t, err)
	require.True(t, stopped)
	require.NotContains(t, pids(t, l.runner), "accounts")
	require.NoError(t, l.runner.StartServices(t.Context()))
	require.NoError(t, l.runner.PS(t.Context()))
	accounts, err := proc.Find(filepath.Join(l.stack.Data(), "run", "accounts.json"))
	require.NoError(t, err)
	require.Empty(t, accounts.Setting("DRAIN_TIME"))

	require.NoError(t, os.WriteFile(main, source, 0o600))
	require.NoError(t, l.runner.Up(t.Context()))
	record, _, err = l.stack.Recorded()
	require.NoError(t, err)
	require.Equal(t, "2s", record.Choices["DRAIN_TIME"])
	for _, part := range append(l.runner.services(), l.runner.named("binlogs"), l.runner.supervisor()) {
		programs, err := filepath.Glob(l.runner.keptProgram(part, "*"))
		require.NoError(t, err)
		require.Len(t, programs, 1, part.name)
	}
}

// leavesAMigrationToItsEnd: a migration goes on when `up` ends before it. Services are not stopped before it has ended, and the next `up`
// waits for it, and then migrates itself.
func (l *living) leavesAMigrationToItsEnd(t *testing.T) {
	t.Helper()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	l.stack.Choices["TIME_ZONE"] = pipe
	before := pids(t, l.runner)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	part := l.runner.named("orders")
	migrating := func() (process *proc.Process) {
		require.NoError(t, proc.Poll(ctx, func() (err error) {
			if process, err = proc.Find(part.migration()); err == nil && process == nil {
				err = errors.New("nothing migrates")
			}
			return err
		}))
		return process
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.runner.Up(interrupted) }()
	first := migrating()
	interrupt()
	err := <-ended
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "still being migrated")
	require.ErrorContains(t, err, "orders still runs as before")
	require.Equal(t, before, pids(t, l.runner))
	stopped, err := l.runner.StopServices(interrupted)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, stopped)
	require.Equal(t, before, pids(t, l.runner))
	log := func() string {
		content, err := os.ReadFile(part.migrationLog())
		require.NoError(t, err)
		return string(content)
	}
	require.Eventually(t, func() bool { return log() == fmt.Sprintf("migrating as process %d\n", first.PID()) }, time.Minute, 10*time.Millisecond, log())

	go func() { ended <- l.runner.Up(t.Context()) }()
	require.Equal(t, first.PID(), migrating().PID())
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0) // #nosec G304 -- a folder of this test
	require.NoError(t, err)
	require.NoError(t, <-ended)
	require.NoError(t, writer.Close())
	require.NotEqual(t, before["orders"], pids(t, l.runner)["orders"])
	require.NoFileExists(t, part.migration())
	require.NotContains(t, log(), fmt.Sprint(first.PID()))
	require.Contains(t, log(), "migrating as process ")
	delete(l.stack.Choices, "TIME_ZONE")
}

// migratesForEver leaves a migration behind that does not end.
func (l *living) migratesForEver(t *testing.T) *proc.Process {
	t.Helper()
	part := l.runner.named("orders")
	command, known, err := lastCommand(part)
	require.NoError(t, err)
	require.True(t, known)
	command.Path, command.Args, command.Record = "/bin/sleep", []string{"infinity"}, part.migration()
	migrating, err := proc.Start(command)
	require.NoError(t, err)
	return migrating
}

// namesWrongSettings: what a process refuses is named before any is replaced.
func (l *living) namesWrongSettings(t *testing.T) {
	t.Helper()
	l.stack.Choices["BINLOG_MAX_SIZE_MB"], l.stack.Choices["LOG_LEVEL"] = "100", "none"
	before := pids(t, l.runner)
	err := l.runner.Up(t.Context())
	require.ErrorContains(t, err, "BINLOG_MAX_SIZE_MB: at least 128")
	require.ErrorContains(t, err, "gateway: exit status 1\nLOG_LEVEL: none is no level")
	require.Equal(t, before, pids(t, l.runner))
	delete(l.stack.Choices, "BINLOG_MAX_SIZE_MB")
	delete(l.stack.Choices, "LOG_LEVEL")
}
