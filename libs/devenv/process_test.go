package devenv

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	found, err := FindProcess(record)
	require.NoError(t, err)
	require.Equal(t, process.PID(), found.PID())
	require.Equal(t, "as started", found.Fingerprint())
	require.NoError(t, found.Stop(t.Context()))
	<-process.Ended() // its parent is told a little later than others see it
	require.False(t, process.Alive())
	require.NoFileExists(t, record)
	found, err = FindProcess(record)
	require.NoError(t, err)
	require.Nil(t, found)
}

func TestARecycledPIDIsNotTakenForOurProcess(t *testing.T) {
	record := filepath.Join(t.TempDir(), "process.json")
	stranger := sleeper(t, record)
	content, err := json.Marshal(processRecord{Name: "ours", PID: stranger.PID(), Identity: "an earlier start"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(record, content, 0o600))
	found, err := FindProcess(record)
	require.NoError(t, err)
	require.Nil(t, found)
	require.True(t, stranger.Alive())
}

func TestAPausedProcessCanBeStopped(t *testing.T) {
	process := sleeper(t, "")
	body := &mariadbBody{process: process}
	require.NoError(t, body.pause())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, process.Stop(ctx))
	require.False(t, process.Alive())
}

func TestAServerThatEndsAtOnceIsReportedWithItsLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	process, err := Start(Command{Name: "server", Path: "/bin/sh", Args: []string{"-c", "echo no such option"}, Log: log})
	require.NoError(t, err)
	<-process.Ended()
	err = awaitServer(t.Context(), "server", process, func(context.Context) error { return nil })
	require.ErrorContains(t, err, "no such option")
}

// crashingTest, set to a directory, makes TestCrash the test that crashes.
const crashingTest = "DEVENV_CRASHING_TEST"

func TestCrash(t *testing.T) {
	dir := os.Getenv(crashingTest)
	if dir == "" {
		return // it is the other test's body
	}
	pair, err := StartPair(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	_, err = fmt.Fprintf(os.Stdout, "started %d %d\n",
		pair.Primary.body.(*mariadbBody).process.PID(), pair.Replica.body.(*mariadbBody).process.PID())
	require.NoError(t, err)
	select {}
}

func TestNothingOutlivesACrashedTest(t *testing.T) {
	dir := t.TempDir()
	command := exec.Command(os.Args[0], "-test.run", "^TestCrash$") // #nosec G204 G702 -- this test binary
	command.Env = append(os.Environ(), crashingTest+"="+dir)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	var primary, replica int
	for lines := bufio.NewScanner(output); primary == 0 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "started ") {
			_, err := fmt.Sscanf(lines.Text(), "started %d %d", &primary, &replica)
			require.NoError(t, err)
		}
	}
	require.NotZero(t, primary)
	require.NoError(t, command.Process.Kill())
	_ = command.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, poll(ctx, func() error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			return fmt.Errorf("%v left: %w", entries, err)
		}
		for _, pid := range []int{primary, replica} {
			if _, err := processIdentity(pid); err == nil {
				return fmt.Errorf("process %d lives", pid)
			}
		}
		return nil
	}))
}
