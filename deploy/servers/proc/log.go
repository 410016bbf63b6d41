package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

const (
	// LogLimit is how large a log may grow before it is rotated, in bytes. With OldLogs, a process has as much as a container
	// has (deploy/compose.yaml).
	LogLimit = 20 << 20
	// OldLogs is how many parts of a log are kept beside the one that is written to.
	OldLogs = 4
	// cutSize divides what is cut off the beginning of a log. File systems cut whole blocks, which are never larger.
	cutSize = 1 << 16
)

// oldLog is the name of an older part of a log. The newest of them is number 1.
func oldLog(path string, number int) string { return fmt.Sprintf("%s.%d", path, number) }

// RotateLog moves the beginning of a log that is larger than limit into a file beside it, of which it keeps some. The process goes on
// writing into the same file, which it opened for appending, and is told nothing. So this works with every program.
//
// Together, the parts hold exactly what was written, because ext4 and XFS cut the beginning off a file in one step. A part may end in the
// middle of a line, which the next part continues. Other file systems can only empty the file. Then the lines are lost that are written
// between the last look into the file and its emptying, which are microseconds. If this process is killed before the cut, the parts hold
// some lines twice.
func RotateLog(path string, limit int64, keep int) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("rotate a log: %w", err)
		}
	}()
	log, err := os.OpenFile(path, os.O_RDWR, 0) // #nosec G304 -- our own file
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // nothing is written through this handle
	info, err := log.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	if err := lockLog(log, syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil // somebody reads it; there is a next time
	} else if err != nil {
		return err
	}
	// The oldest goes first, because its room may be the only one on a full disk.
	if err := os.Remove(oldLog(path, keep)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return moveBeginning(log, (info.Size()-1)/cutSize*cutSize, keep)
}

// moveBeginning moves the first bytes of a log into the newest of its older parts.
func moveBeginning(log *os.File, size int64, keep int) (err error) {
	path := log.Name()
	unfinished := path + ".new"
	old, err := os.OpenFile(unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- our own file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if _, err = io.CopyN(old, log, size); err == nil {
		err = old.Sync() // or a crash of the machine would take what was safe before
	}
	if err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	for number := keep - 1; number > 0; number-- {
		if err := os.Rename(oldLog(path, number), oldLog(path, number+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(unfinished, oldLog(path, 1)); err != nil {
		return err
	}
	if cutOff(log, size) == nil {
		return nil
	}
	if _, err := io.Copy(old, log); err != nil {
		return err
	}
	return log.Truncate(0)
}

// OpenLog opens all parts of a log as one, the oldest first. The log is not rotated until the reader is closed.
func OpenLog(path string) (io.ReadCloser, error) {
	log, err := os.Open(path) // #nosec G304 -- our own file
	if err != nil {
		return nil, err
	}
	if err := lockLog(log, syscall.LOCK_SH); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	all := openLog{files: []*os.File{log}}
	readers := []io.Reader{log}
	for number := 1; ; number++ {
		old, err := os.Open(oldLog(path, number))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all.files, readers = append(all.files, old), append([]io.Reader{old}, readers...)
	}
	all.Reader = io.MultiReader(readers...)
	return all, nil
}

type openLog struct {
	io.Reader

	files []*os.File
}

func (l openLog) Close() (err error) {
	for _, file := range l.files {
		err = errors.Join(err, file.Close())
	}
	return err
}

func lockLog(log *os.File, how int) error {
	for {
		if err := syscall.Flock(int(log.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// LastOfLog returns the last lines of a log. It reads no more parts of it than it must.
func LastOfLog(path string, lines int) ([]byte, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- our own file
	for number := 1; err == nil && bytes.Count(text, []byte("\n")) <= lines; number++ {
		before, oldErr := os.ReadFile(oldLog(path, number))
		if errors.Is(oldErr, fs.ErrNotExist) {
			break
		}
		text, err = append(before, text...), oldErr
	}
	return LastLines(text, lines), err
}
