package dbpair

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"oms.internal/servers/proc"
)

// makeData makes the data folder of a server that never ran.
func (p *mariadbProcess) makeData(ctx context.Context, folder string) error {
	// The program that makes the data waits for space without an end, and says nothing.
	if err := requireSpace(p.dir, newDataMB); err != nil {
		return err
	}
	users := filepath.Join(p.dir, "users.sql")
	if err := os.WriteFile(users, []byte(rootUsers(p.root)), 0o600); err != nil {
		return err
	}
	defer os.Remove(users) //nolint:errcheck // the whole folder is private
	// #nosec G204 -- a program of the system's package
	command := exec.CommandContext(ctx, p.install, "--defaults-file="+p.configFile(), "--datadir="+folder,
		"--skip-test-db", "--auth-root-authentication-method=normal", "--extra-file="+users)
	// The script starts a server, which must end with it: it would go on to write, and hold the output, for which Go waits.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w\n%s", err, proc.LastLines(output, 15))
	}
	return nil
}

// newDataMB is more than the data of a server takes that holds nothing yet.
const newDataMB = 150

// requireSpace fails if the disk of a folder has less than so many MB free.
func requireSpace(folder string, megabytes uint64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil {
		return fmt.Errorf("free space of %s: %w", folder, err)
	}
	if free := disk.Bavail * uint64(disk.Bsize) >> 20; free < megabytes { // #nosec G115 -- a block's size is positive
		return fmt.Errorf("the disk of %s has %d MB free, and a server needs %d MB to begin with: make space", folder, free, megabytes)
	}
	return nil
}

// rootUsers gives root a password on the socket and on 127.0.0.1, and removes every other user. It is executed before the server has
// ever listened, and nothing of it reaches the binary log.
func rootUsers(password string) string {
	var sql strings.Builder
	sql.WriteString("DELETE FROM mysql.global_priv WHERE User IN ('', 'root');\nFLUSH PRIVILEGES;\n")
	for _, host := range []string{"localhost", "127.0.0.1"} {
		fmt.Fprintf(&sql, "CREATE USER 'root'@'%s' IDENTIFIED BY %s;\n", host, quote(password))
		fmt.Fprintf(&sql, "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%s' WITH GRANT OPTION;\n", host)
	}
	return sql.String()
}

// madeData is a data folder that servers of tests start from. The reaper removes it when this process has ended.
type madeData struct {
	folder string
	reaper *proc.Reaper
}

var (
	madeDataMutex sync.Mutex
	madeDataOf    = map[string]madeData{} // by root's password
)

// copyMadeData makes the data folder of a server that never ran from one that an earlier server of this process has made, because
// mariadb-install-db takes most of a first start. A copy would not survive a power failure, so a detached pair must not start from one.
func (p *mariadbProcess) copyMadeData(ctx context.Context, folder string) error {
	made, err := p.madeData(ctx)
	if err != nil {
		return err
	}
	return os.CopyFS(folder, os.DirFS(made.folder))
}

func (p *mariadbProcess) madeData(ctx context.Context) (made madeData, err error) {
	madeDataMutex.Lock()
	defer madeDataMutex.Unlock()
	if made, done := madeDataOf[p.root]; done {
		return made, nil
	}
	parent, err := os.MkdirTemp("", "oms-mariadb-")
	if err != nil {
		return made, err
	}
	made.folder = filepath.Join(parent, "data")
	if made.reaper, err = proc.StartReaper(proc.RemoveDirectories, parent); err != nil {
		return made, err
	}
	if err := p.makeData(ctx, made.folder); err != nil {
		return made, err
	}
	madeDataOf[p.root] = made
	return made, nil
}
