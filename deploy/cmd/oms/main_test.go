package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand makes this program the command itself, in the test below.
const asCommand = "OMS_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		os.Exit(m.Run())
	}
	main()
}

func TestASecondSignalEndsWhatTheFirstOneDoesNot(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe") // which nobody writes: to open it takes for ever
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program, "backup-check", "--file", pipe)
	command.Env = append(os.Environ(), asCommand+"=1")
	require.NoError(t, command.Start())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(time.Minute)
	for {
		select {
		case err := <-ended:
			require.ErrorContains(t, err, "interrupt")
			return
		case <-deadline:
			require.NoError(t, command.Process.Kill())
			require.Fail(t, "it still runs")
		case <-again.C:
			_ = command.Process.Signal(os.Interrupt) // it may just have ended
		}
	}
}
