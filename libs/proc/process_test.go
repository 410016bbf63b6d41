package proc

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func sleeper(t *testing.T, record string) *Process {
	t.Helper()
	process, err := Start(Command{
		Name: "sleeper", Path: "/bin/sleep", Args: []string{"600"}, Dir: t.TempDir(),
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
	require.Equal(t, "as started", found.Fingerprint())
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
	stranger := sleeper(t, record)
	content, err := json.Marshal(processRecord{Name: "ours", PID: stranger.PID(), Identity: "an earlier start"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(record, content, 0o600))
	found, err := Find(record)
	require.NoError(t, err)
	require.Nil(t, found)
	require.True(t, stranger.Alive())
}

func TestAPausedProcessCanBeStopped(t *testing.T) {
	process := sleeper(t, "")
	require.NoError(t, process.Signal(syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
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
