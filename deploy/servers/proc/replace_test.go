package proc

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProcessIsReplacedOnlyByOneThatIsReady(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	old := sleeper(t, record)
	command := old.command
	command.Fingerprint = "the next release"

	notReady := errors.New("not ready")
	var failed *Process
	_, _, err := Replace(t.Context(), command, false, func(next *Process) error {
		failed = next
		require.True(t, old.Alive(), "the old one goes on meanwhile")
		return notReady
	})
	require.ErrorIs(t, err, notReady)
	require.ErrorContains(t, err, "sleeper still runs as before")
	require.False(t, failed.Alive())
	found, err := Find(record)
	require.NoError(t, err)
	require.Equal(t, old.PID(), found.PID())

	next, replaced, err := Replace(t.Context(), command, false, func(next *Process) error {
		require.True(t, next.Alive())
		require.True(t, old.Alive())
		return nil
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, next.Kill()) })
	require.True(t, replaced)
	<-old.exited
	found, err = Find(record)
	require.NoError(t, err)
	require.Equal(t, next.PID(), found.PID())
	require.Equal(t, "UTC", found.Setting("TZ"))

	same, replaced, err := Replace(t.Context(), command, false, func(*Process) error { return nil })
	require.NoError(t, err)
	require.False(t, replaced)
	require.Equal(t, next.PID(), same.PID())

	other, replaced, err := Replace(t.Context(), command, true, func(*Process) error { return nil })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Kill()) })
	require.True(t, replaced)
	require.NotEqual(t, next.PID(), other.PID())
}

// draining starts a process that ends when it is asked to and release was called, and asks it to end as a command does that is killed
// right after that.
func draining(t *testing.T, record string) (process *Process, release func()) {
	t.Helper()
	hold := filepath.Join(t.TempDir(), "hold")
	require.NoError(t, os.WriteFile(hold, nil, 0o600))
	process, err := Start(Command{
		Name: "drainer", Path: "/bin/sh", Env: []string{"PATH=" + os.Getenv("PATH"), "HOLD=" + hold}, Dir: t.TempDir(), Record: record,
		Log: filepath.Join(t.TempDir(), "log"), Fingerprint: "as started",
		Args: []string{"-c", `trap 'while [ -e "$HOLD" ]; do sleep 0.01; done; exit' TERM; echo ready; while :; do sleep 0.01; done`},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	require.NoError(t, Poll(t.Context(), func() error {
		if len(process.Tail(1)) == 0 {
			return errors.New("it does not listen to signals yet")
		}
		return nil
	}))
	require.NoError(t, process.end(syscall.SIGTERM))
	return process, func() { require.NoError(t, os.Remove(hold)) }
}

func TestAProcessThatAnInterruptedCommandAskedToEndIsStartedAnew(t *testing.T) {
	type result struct {
		process *Process
		err     error
	}
	for name, start := range map[string]func(Command) (*Process, bool, error){
		"when it has ended": func(command Command) (*Process, bool, error) { return Ensure(t.Context(), command) },
		"beside it": func(command Command) (*Process, bool, error) {
			return Replace(t.Context(), command, false, func(*Process) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := filepath.Join(t.TempDir(), "process.json")
			old, release := draining(t, record)
			_, _, ended, err := Ended(record)
			require.NoError(t, err)
			require.False(t, ended)
			started := make(chan result, 1)
			go func() {
				process, _, err := start(old.command)
				started <- result{process, err}
			}()
			select {
			case <-started:
				require.Fail(t, "it was not waited for")
			default:
			}
			release()
			next := <-started
			require.NoError(t, next.err)
			t.Cleanup(func() { require.NoError(t, next.process.Kill()) })
			require.NotEqual(t, old.PID(), next.process.PID())
			<-old.exited
			require.True(t, next.process.Alive())
			found, err := Find(record)
			require.NoError(t, err)
			require.True(t, found.is(next.process))
		})
	}
}

func TestAProcessThatWasAskedToEndHasNotEndedByItselfAlthoughNobodySawItsEnd(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	process, release := draining(t, record)
	release()
	<-process.exited
	require.FileExists(t, record)
	_, _, ended, err := Ended(record)
	require.NoError(t, err)
	require.False(t, ended)
	next, replaced, err := Ensure(t.Context(), process.command)
	require.NoError(t, err)
	require.False(t, replaced)
	require.NoError(t, next.Kill())
	require.NoFileExists(t, record)
}
