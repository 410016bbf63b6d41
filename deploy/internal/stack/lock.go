package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// holder is the content of the lock's file: the command that works in the data folder.
type holder struct {
	Command string    `json:"command"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
}

func (h holder) alive() bool { return h.PID > 0 && syscall.Kill(h.PID, 0) == nil }

// LockedError says which other command works in the data folder.
type LockedError struct {
	holder

	file string
}

func (e *LockedError) Error() string {
	if !e.alive() {
		return fmt.Sprintf("another command works in this data folder (it holds %s); wait for its end", e.file)
	}
	return fmt.Sprintf("`%s` works in this data folder (process %d, since %s); wait for its end, or end it with: kill %d",
		e.Command, e.PID, e.Since.Local().Format(time.DateTime), e.PID)
}

const (
	// A command that has just taken the lock needs a moment to write its name there.
	holderLooks = 20
	holderPause = 10 * time.Millisecond
	// awaitQuietly is how long a command waits for the supervisor and says nothing.
	awaitQuietly = 2 * time.Second
)

func (s Stack) lockFile() string          { return filepath.Join(s.Data(), "lock") }
func (s Stack) processesLockFile() string { return filepath.Join(s.Data(), "run", "lock") }

// Lock makes a command the only one that works in the data folder, until unlock or the end of the process. It does not wait: if
// another command holds the lock, the error is a LockedError. A second failover that waited for the first would undo it.
func (s Stack) Lock(command string, now time.Time) (unlock func(), err error) {
	return lock(s.lockFile(), command, now)
}

// LockProcesses keeps others from starting and ending the stack's processes. Unlike Lock it is also for the supervisor, which must not
// start again what a command is about to end.
func (s Stack) LockProcesses(command string, now time.Time) (unlock func(), err error) {
	return lock(s.processesLockFile(), command, now)
}

// LockData keeps a backup and a restore apart. A backup that began before the data was exchanged would hold old tables beside new ones.
func (s Stack) LockData(command string, now time.Time) (unlock func(), err error) {
	return lock(filepath.Join(s.Data(), "run", "data-lock"), command, now)
}

// AwaitProcesses is LockProcesses that waits until ctx ends, because the supervisor only takes a moment to start something. If it takes
// longer, report is told who is waited for.
func (s Stack) AwaitProcesses(ctx context.Context, command string, report func(string)) (unlock func(), err error) {
	long := time.NewTimer(awaitQuietly)
	defer long.Stop()
	for {
		unlock, err := s.LockProcesses(command, time.Now())
		if _, locked := errors.AsType[*LockedError](err); !locked {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-long.C:
			report("waiting: " + err.Error())
		case <-time.After(holderPause):
		}
	}
}

func lock(path, command string, now time.Time) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	for look := 1; ; look++ {
		file, locked, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock the data folder: %w", err)
		}
		if locked {
			// The name is for others to read. On a full disk the command works without it.
			_ = writeHolder(file, holder{Command: command, PID: os.Getpid(), Since: now})
			return func() { _ = errors.Join(file.Truncate(0), file.Close()) }, nil
		}
		if holding := readHolder(path); holding.alive() || look == holderLooks {
			return nil, &LockedError{holder: holding, file: path}
		}
		<-time.After(holderPause)
	}
}

// tryLock opens the file and locks it, if nobody else has. The kernel ends the lock with the process, however that ends.
func tryLock(path string) (file *os.File, locked bool, err error) {
	file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- our own file
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		// A `clean` may have removed the file after it was opened here; then others lock another one.
		if mine, theirs := stat(file.Stat()), stat(os.Stat(path)); mine != nil && theirs != nil && os.SameFile(mine, theirs) {
			return file, true, nil
		}
	} else if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return nil, false, file.Close()
}

func stat(info os.FileInfo, err error) os.FileInfo {
	if err != nil {
		return nil
	}
	return info
}

func writeHolder(file *os.File, holding holder) error {
	content, err := json.Marshal(holding)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(content, '\n'), 0)
	return err
}

func readHolder(path string) (holding holder) {
	content, err := os.ReadFile(path) // #nosec G304 -- our own file
	if err != nil || json.Unmarshal(content, &holding) != nil {
		return holder{}
	}
	return holding
}
