package dbpair

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/proc"
)

// crashingTest, set to a directory, makes TestCrash the test that crashes.
const crashingTest = "DBPAIR_CRASHING_TEST"

func TestCrash(t *testing.T) {
	dir := os.Getenv(crashingTest)
	if dir == "" {
		return // it is the other test's body
	}
	pair, err := Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	_, err = fmt.Fprintf(os.Stdout, "started %d %d\n",
		pair.Primary.instance.(*mariadbProcess).PID(), pair.Replica.instance.(*mariadbProcess).PID())
	require.NoError(t, err)
	select {}
}

func TestNothingOutlivesACrashedTest(t *testing.T) {
	t.Parallel()
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, proc.Poll(ctx, func() error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) > 0 {
			return fmt.Errorf("%v left: %w", entries, err)
		}
		for _, pid := range []int{primary, replica} {
			if syscall.Kill(pid, 0) == nil {
				return fmt.Errorf("process %d lives", pid)
			}
		}
		return nil
	}))
}
