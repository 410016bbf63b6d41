package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

func forkForEver() {
	runtime.LockOSThread()
	for next := range forks {
		// A group of its own keeps the terminal's Ctrl-C from the servers: the test decides when they end.
		next.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		next.result <- next.cmd.Start()
	}
}

// processIdentity names a running process uniquely: which boot of the machine, and when in that boot it started.
func processIdentity(pid int) (string, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	// The second field is the program's name in brackets and may hold anything; the fixed ones follow its last bracket.
	_, rest, found := strings.Cut(string(content[bytes.LastIndexByte(content, ')'):]), " ")
	fields := strings.Fields(rest)
	const state, startTime = 0, 19
	if !found || len(fields) <= startTime {
		return "", fmt.Errorf("process %d: /proc holds %q", pid, content)
	}
	if fields[state] == "X" || fields[state] == "Z" && !threadsLeft(pid) {
		return "", errors.New("the process has ended")
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("boot id: %w", err)
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[startTime], nil
}

// threadsLeft tells whether a process whose first thread has ended has others that have not: those still hold its files
// and ports.
func threadsLeft(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}
