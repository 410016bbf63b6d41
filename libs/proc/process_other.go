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
