package stack_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestOneCommandAtATimeHoldsTheDataFolderAndIsNamed(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: filepath.Join(t.TempDir(), "new")}
	since := time.Date(2026, 11, 30, 3, 4, 5, 0, time.Local)
	unlock, err := s.Lock("make failover", since)
	require.NoError(t, err)
	_, err = s.Lock("make up", time.Now())
	require.EqualError(t, err, fmt.Sprintf("`make failover` works in this data folder (process %[1]d, since 2026-11-30 03:04:05); "+
		"wait for its end, or end it with: kill %[1]d", os.Getpid()))
	_, err = stack.Stack{Folder: t.TempDir()}.Lock("make up", time.Now())
	require.NoError(t, err, "another data folder")
	unlock()
	unlock, err = s.Lock("make clean", time.Now())
	require.NoError(t, err)

	// What a clean removes while it holds the lock keeps nobody out later, and does not end the lock of who comes next.
	require.NoError(t, s.Clean())
	require.NoDirExists(t, s.Data())
	next, err := s.Lock("make up", time.Now())
	require.NoError(t, err)
	unlock()
	_, err = s.Lock("make down", time.Now())
	require.ErrorContains(t, err, "`make up` works in this data folder")
	next()
}

func TestACommandThatWasKilledHoldsNothing(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: t.TempDir()}
	lock := filepath.Join(s.Data(), "lock")
	// The file is as a killed command leaves it, and names a process that is another's by now.
	require.NoError(t, os.WriteFile(lock, fmt.Appendf(nil, `{"command":"make up","pid":%d}`, os.Getppid()), 0o600))
	unlock, err := s.Lock("make down", time.Now())
	require.NoError(t, err)
	unlock()

	// Programs that a command starts do not hold on to its lock.
	unlock, err = s.Lock("make up", time.Now())
	require.NoError(t, err)
	child := exec.Command("sleep", "600")
	require.NoError(t, child.Start())
	defer func() { _, _ = child.Process.Kill(), child.Wait() }()
	unlock()
	unlock, err = s.Lock("make down", time.Now())
	require.NoError(t, err)
	unlock()
}

func TestACommandThatWaitsForLongSaysForWhom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stack.Stack{Folder: t.TempDir()}
		unlock, err := s.LockProcesses("oms supervise", time.Now())
		require.NoError(t, err)
		said := make(chan string, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.AwaitProcesses(ctx, "make up", func(text string) { said <- text })
			ended <- err
		}()
		require.Contains(t, <-said, "waiting: `oms supervise` works in this data folder")
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		unlock()
		unlock, err = s.AwaitProcesses(t.Context(), "make up", func(text string) { t.Error(text) })
		require.NoError(t, err)
		unlock()
	})
}

func TestWhateverTheLocksFileHoldsIsNoReasonToFail(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", "null", `{"pid":-1}`, "\x00\xff"} {
		s := stack.Stack{Folder: t.TempDir()}
		lock := filepath.Join(s.Data(), "lock")
		require.NoError(t, os.WriteFile(lock, []byte(content), 0o600))
		unlock, err := s.Lock("make up", time.Now())
		require.NoError(t, err, "%q", content)
		require.NoError(t, os.WriteFile(lock, []byte(content), 0o600))
		_, err = s.Lock("make up", time.Now())
		require.ErrorContains(t, err, "another command works in this data folder", "%q", content)
		unlock()
	}
}
