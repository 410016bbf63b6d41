package proc

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sleeper(t *testing.T, record string) *Process {
	t.Helper()
	process, err := Start(Command{
		Name: "sleeper", Path: "/bin/sleep", Args: []string{"600"}, Env: []string{"TZ=UTC"}, Dir: t.TempDir(),
		Log: filepath.Join(t.TempDir(), "log"), Record: record, Fingerprint: "as started",
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	return process
}

func TestADetachedProcessIsFoundByItsRecordUntilItEnds(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	process := sleeper(t, record)
	found, err := Find(record)
	require.NoError(t, err)
	require.Equal(t, process.PID(), found.PID())
	require.NoError(t, found.Stop(t.Context()))
	<-process.exited // its parent is told a little later than others see it
	require.False(t, process.Alive())
	require.NoFileExists(t, record)
	found, err = Find(record)
	require.NoError(t, err)
	require.Nil(t, found)
}

func TestARecycledPIDIsNotTakenForOurProcess(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	stranger := sleeper(t, filepath.Join(t.TempDir(), "process.json"))
	content, err := json.Marshal(processRecord{Command: Command{Name: "ours"}, PID: stranger.PID(), Identity: "an earlier start"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(record, content, 0o600))
	found, err := Find(record)
	require.NoError(t, err)
	require.Nil(t, found)
	require.True(t, stranger.Alive())
}

// countFile tells this program to count, in the test below.
const countFile = "PROC_TEST_COUNT_FILE"

// TestMain is a program with more busy threads than the machine has processors, where that is asked for: the one that takes a
// signal has to wait for its turn.
func TestMain(m *testing.M) {
	path := os.Getenv(countFile)
	if path == "" {
		os.Exit(m.Run())
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	for range 8 * runtime.NumCPU() {
		go func() {
			runtime.LockOSThread()
			for {
				_, _ = file.WriteString(".")
			}
		}()
	}
	select {}
}

func TestNothingGoesOnInAPausedProcess(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "count")
	process, err := Start(Command{
		Name: "counter", Path: program, Env: []string{countFile + "=" + path}, Log: filepath.Join(t.TempDir(), "log"),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, process.Kill()) })
	counted := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	for range 20 {
		before := counted()
		require.NoError(t, Poll(t.Context(), func() error {
			if counted() == before {
				return errors.New("it does not count")
			}
			return nil
		}))
		require.NoError(t, process.Pause())
		at := counted()
		for range 1000 {
			require.Equal(t, at, counted())
		}
		require.NoError(t, process.Continue())
	}
}

func TestAPausedProcessCanBeStopped(t *testing.T) {
	process := sleeper(t, "")
	require.NoError(t, process.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, process.Stop(ctx))
	require.False(t, process.Alive())
}

func TestAServerThatEndsAtOnceIsReportedWithItsLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	process, err := Start(Command{Name: "server", Path: "/bin/sh", Args: []string{"-c", "echo no such option"}, Log: log})
	require.NoError(t, err)
	<-process.exited
	err = Await(t.Context(), "server", process, func(context.Context) error { return nil })
	require.ErrorContains(t, err, "no such option")
}

func TestTheEndOfALogIsThatOfTheProcessAndNotOfOneBeforeIt(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(log, []byte("a line of before\n"), 0o600))
	process, err := Start(Command{Name: "server", Path: "/bin/sh", Args: []string{"-c", "echo no such option"}, Log: log})
	require.NoError(t, err)
	<-process.exited
	require.Equal(t, "no such option", string(process.Tail(20)))
	require.NoError(t, os.WriteFile(log, []byte("cut\n"), 0o600))
	require.Equal(t, "cut", string(process.Tail(20)), "it was rotated, so nobody knows where the process began")
}
