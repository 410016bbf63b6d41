package proc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func forkForEver() {
	runtime.LockOSThread()
	for next := range forks {
		// In a process group of its own, a server does not get the terminal's Ctrl-C. The test decides when the server ends.
		next.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
		next.result <- next.cmd.Start()
	}
}

// Positions of fields in a stat file, counted from 0 after the program's name.
const (
	state     = 0
	session   = 3
	startTime = 19
)

// searchable says that search finds processes by their environment.
const searchable = true

// search returns the running processes that were started for a record, the newest first. It sees processes of this user only, and none of a
// container, where a record with the same path is another one.
func search(record string) (found []*Process, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("search for the process of %s: %w", record, err)
	}
	root, err := os.Stat("/")
	if err != nil {
		return nil, fmt.Errorf("search for the process of %s: %w", record, err)
	}
	newest := map[*Process]uint64{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// What cannot be read has ended meanwhile, or is another user's.
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || !bytes.Contains(environment, []byte(marker+"=")) {
			continue
		}
		command, marked := unmarked(strings.Split(strings.Trim(string(environment), "\x00"), "\x00"))
		handle, handleErr := os.FindProcess(pid)
		if !marked || command.Record != record || handleErr != nil {
			continue
		}
		if own, err := os.Stat(fmt.Sprintf("/proc/%d/root", pid)); err != nil || !os.SameFile(root, own) {
			continue
		}
		fields, statErr := statFields(fmt.Sprintf("/proc/%d/stat", pid))
		identity, identityErr := processIdentity(pid)
		// A detached process leads its session. A process that it started itself inherits the environment, and is not meant.
		if statErr != nil || identityErr != nil || fields[session] != entry.Name() {
			continue
		}
		process := &Process{command: command, handle: handle, identity: identity}
		if newest[process], err = strconv.ParseUint(fields[startTime], 10, 64); err != nil {
			return nil, fmt.Errorf("start time of process %d: %w", pid, err)
		}
		found = append(found, process)
	}
	slices.SortFunc(found, func(a, b *Process) int { return cmp.Compare(newest[b], newest[a]) })
	return found, nil
}

// processIdentity identifies a running process by the machine's boot and by the process's start time in that boot.
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

// threadsStopped returns an error while a thread of the process still runs.
func threadsStopped(pid int) error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		fields, err := statFields(task)
		if err != nil {
			return err // the thread may have ended in between
		}
		if now := fields[state]; now != "T" && now != "Z" && now != "X" {
			return fmt.Errorf("%s: state %s", task, now)
		}
	}
	return nil
}

// statFields returns the fields of a stat file of /proc that follow the program's name. The first is the state.
func statFields(path string) ([]string, error) {
	content, err := os.ReadFile(path) // #nosec G304 -- a file of /proc
	if err != nil {
		return nil, err
	}
	// The program's name stands in brackets and may hold any character, brackets included. So the last bracket ends it.
	fields := strings.Fields(string(content[bytes.LastIndexByte(content, ')')+1:]))
	if len(fields) <= startTime {
		return nil, fmt.Errorf("%s holds %q", path, content)
	}
	return fields, nil
}

// threadsLeft reports whether other threads of a process still run after its first thread has ended. They still hold its files and
// ports.
func threadsLeft(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}

// cutOff removes the first bytes of a file in one step, so that the others move to its beginning. Whoever appends to it meanwhile appends
// after them. ext4 and XFS can do that, and tmpfs, btrfs and others cannot.
func cutOff(file *os.File, size int64) error {
	const collapseRange = 8 // FALLOC_FL_COLLAPSE_RANGE
	for {
		if err := syscall.Fallocate(int(file.Fd()), collapseRange, 0, size); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
