package dbpair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"oms.internal/servers/proc"
)

// mariadbPackages bring the binaries without a system service: nothing starts by itself after installing them.
var mariadbPackages = []string{"mariadb-server-core", "mariadb-client-core"}

// ErrNoMariaDB says that MariaDB's binaries are missing and what to install.
var ErrNoMariaDB = fmt.Errorf("MariaDB's server binaries are not installed; run: apt-get install %s",
	strings.Join(mariadbPackages, " "))

// findMariaDB returns the paths of the server and of the program that makes an empty data directory.
func findMariaDB() (server, installer string, err error) {
	server, serverErr := lookPath("mariadbd")
	installer, installerErr := lookPath("mariadb-install-db")
	if serverErr != nil || installerErr != nil {
		return "", "", ErrNoMariaDB
	}
	return server, installer, nil
}

// lookPath also looks where servers live, which an ordinary user's PATH leaves out.
func lookPath(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// InstallMariaDB makes sure that MariaDB's binaries are there. If they are not, it installs the system's packages where
// it may (as root, or through sudo without a password), and says so on out; otherwise it returns ErrNoMariaDB.
func InstallMariaDB(ctx context.Context, out io.Writer) error {
	if _, _, err := findMariaDB(); err == nil {
		return nil
	}
	say := func(line string) { _, _ = fmt.Fprintln(out, line) }
	if err := install(ctx, say, ErrNoMariaDB, "the database servers of tests and of the native stack", mariadbPackages...); err != nil {
		return err
	}
	_, _, err := findMariaDB()
	return err
}

// ErrNoMariaDBDump says that the program which makes dumps is missing.
var ErrNoMariaDBDump = errors.New("mariadb-dump is not installed; run: apt-get install mariadb-client")

// InstallMariaDBDump does the same for the program that makes dumps, which only backups and the rebuilding of a replica need.
func InstallMariaDBDump(ctx context.Context, say func(string)) error {
	if _, err := lookPath("mariadb-dump"); err == nil {
		return nil
	}
	if say == nil {
		say = func(string) {}
	}
	return install(ctx, say, ErrNoMariaDBDump, "it makes dumps of databases", "mariadb-client")
}

// install installs packages of the system where that is allowed, and otherwise returns missing.
func install(ctx context.Context, say func(string), missing error, purpose string, packages ...string) error {
	prefix, allowed := installerPrefix(ctx)
	if !allowed {
		return missing
	}
	say(fmt.Sprintf("installing %s (%s)", strings.Join(packages, " "), purpose))
	arguments := append([]string{"install", "--no-install-recommends"}, packages...)
	if err := aptGet(ctx, prefix, arguments); err == nil {
		return nil
	}
	// A fresh machine has no package lists yet, and an old one has lists that name versions which are gone.
	if err := aptGet(ctx, prefix, []string{"update"}); err != nil {
		return errors.Join(missing, err)
	}
	if err := aptGet(ctx, prefix, arguments); err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// installerPrefix is what to put before apt-get, and whether we may run it at all.
func installerPrefix(ctx context.Context) (prefix []string, allowed bool) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, false
	}
	if os.Geteuid() == 0 {
		return nil, true
	}
	if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
		return nil, false
	}
	return []string{"sudo", "-n"}, true
}

// aptGet runs one apt-get command without questions. It waits for another one that holds the lock, as parallel test
// runs on a fresh machine do.
func aptGet(ctx context.Context, prefix, arguments []string) error {
	line := append(append([]string{}, prefix...), "env", "DEBIAN_FRONTEND=noninteractive",
		"apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")
	line = append(line, arguments...)
	command := exec.CommandContext(ctx, line[0], line[1:]...) // #nosec G204 -- a fixed command line
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, proc.LastLines(output, 10))
	}
	return nil
}
