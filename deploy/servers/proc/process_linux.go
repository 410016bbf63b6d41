package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// The fields of a stat file behind the program's name, from 0.
const (
	state     = 0
	startTime = 19
)

// processIdentity names a running process uniquely: which boot of the machine, and when in that boot it started.
func processIdentity(pid int) (string, error) {
	fields, err := statFields(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
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

// stands returns an error while a thread of the process is not stopped by a signal.
func stands(pid int) error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		fields, err := statFields(task)
		if err != nil {
			return err // the thread may have ended meanwhile
		}
		if now := fields[state]; now != "T" && now != "Z" && now != "X" {
			return fmt.Errorf("%s: state %s", task, now)
		}
	}
	return nil
}

// statFields reads what a stat file of /proc says behind the program's name: the state first.
func statFields(path string) ([]string, error) {
	content, err := os.ReadFile(path) // #nosec G304 -- a file of /proc
	if err != nil {
		return nil, err
	}
	// The second field is the program's name in brackets and may hold anything; the fixed ones follow its last bracket.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) <= startTime {
		return nil, fmt.Errorf("%s holds %q", path, content)
	}
	return fields, nil
}

// threadsLeft tells whether a process whose first thread has ended has others that have not: those still hold its files
// and ports.
func threadsLeft(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}
