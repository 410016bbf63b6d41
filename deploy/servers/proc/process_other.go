//go:build !linux

package proc

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// forkForEver here cannot bind a child's life to ours: only Linux knows that. The reaper still cleans up.
func forkForEver() {
	for next := range forks {
		next.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		next.result <- next.cmd.Start()
	}
}

// stands returns an error while the process is not stopped by a signal.
func stands(pid int) error {
	output, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output() // #nosec G204 -- a number
	if err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	if state := strings.TrimSpace(string(output)); !strings.HasPrefix(state, "T") {
		return fmt.Errorf("process %d: state %s", pid, state)
	}
	return nil
}

// processIdentity names a running process by the time it started at.
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
