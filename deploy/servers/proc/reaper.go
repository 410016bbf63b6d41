package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Reaper is a small process that cleans up after this one. It waits for the end of a pipe that only this process holds open, and then
// runs its script. So it also works when this process crashes, is killed or times out. Finish uses the same way, so that every normal
// end tests it.
type Reaper struct {
	pipe io.Closer
	cmd  *exec.Cmd
}

// StartReaper starts a reaper. Its sh script gets the arguments as $1 and so on, and runs when this process ends or calls Finish.
func StartReaper(script string, arguments ...string) (*Reaper, error) {
	cmd := exec.Command("sh", append([]string{"-c", "cat >/dev/null; " + script, "reaper"}, arguments...)...) // #nosec G204 -- our own scripts
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// A reaper that inherited our standard error would make `go test` wait for it after a crash.
	cmd.Stdout, cmd.Stderr, cmd.Env = nil, nil, os.Environ()
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start reaper: %w", err)
	}
	return &Reaper{pipe: pipe, cmd: cmd}, nil
}

// Finish runs the script and waits for its end.
func (r *Reaper) Finish() error {
	if err := r.pipe.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("end reaper: %w", err)
	}
	if err := r.cmd.Wait(); err != nil {
		return fmt.Errorf("clean up: %w", err)
	}
	return nil
}

// RemoveDirectories is a reaper's script that removes directories. It tries again while a dying server still writes there.
const RemoveDirectories = `n=0; until rm -rf "$@" 2>/dev/null; do n=$((n+1)); [ $n -lt 100 ] || exit 1; sleep 0.1; done`
