//go:build !linux

package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// forkForEver cannot bind a child's life to ours here, because only Linux offers that. The reaper still cleans up.
func forkForEver() {
	for next := range forks {
		next.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		next.result <- next.cmd.Start()
	}
}

// threadsStopped returns an error while the process still runs.
func threadsStopped(pid int) error {
	output, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output() // #nosec G204 -- a number
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	if state := strings.TrimSpace(string(output)); !strings.HasPrefix(state, "T") {
		return fmt.Errorf("process %d: state %s", pid, state)
	}
	return nil
}

// processIdentity identifies a running process by its start time.
func processIdentity(pid int) (string, error) {
	output, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output() // #nosec G204 -- a number
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(output)), " ")
	if state == "" || strings.HasPrefix(state, "Z") {
		return "", errors.New("the process has ended")
	}
	return strings.TrimSpace(started), nil
}

// searchable says that search finds nothing here, because only Linux shows the environment of a process.
const searchable = false

func search(string) ([]*Process, error) { return nil, nil }

// cutOff would remove the first bytes of a file in one step, which only Linux can.
func cutOff(*os.File, int64) error { return errors.ErrUnsupported }
