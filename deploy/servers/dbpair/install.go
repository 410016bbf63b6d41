package dbpair

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"oms.internal/servers/proc"
)

// The packages that bring MariaDB's programs. They bring no system service, so nothing starts by itself after installing them.
var (
	serverPackages = []string{"mariadb-server-core", "mariadb-client-core"}
	dumpPackages   = []string{"mariadb-client"}
)

// findMariaDB returns the paths of the server and of the program that makes an empty data folder.
func findMariaDB() (server, installer string, err error) {
	server, serverErr := lookPath("mariadbd")
	installer, installerErr := lookPath("mariadb-install-db")
	if serverErr != nil || installerErr != nil {
		return "", "", errMissing("mariadbd", serverPackages)
	}
	return server, installer, nil
}

func errMissing(program string, packages []string) error {
	return fmt.Errorf("%s is not installed; run: apt-get install %s", program, strings.Join(packages, " "))
}

// lookPath finds a program in PATH, and in the folders of servers, which are not in an ordinary user's PATH.
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

// InstallMariaDB installs the packages of MariaDB's servers if they are missing, and tells report. It needs to be root or to have sudo
// without a password; otherwise the error says what to install.
func InstallMariaDB(ctx context.Context, report func(step string)) error {
	if _, _, err := findMariaDB(); err == nil {
		return nil
	}
	if err := install(ctx, report, "mariadbd", serverPackages); err != nil {
		return err
	}
	_, _, err := findMariaDB()
	return err
}

// installDump is InstallMariaDB for the program that makes dumps. Only backups and the rebuilding of a replica need it.
func installDump(ctx context.Context, report func(step string)) error {
	if _, err := lookPath("mariadb-dump"); err == nil {
		return nil
	}
	return install(ctx, report, "mariadb-dump", dumpPackages)
}

// install installs the packages of a program with apt-get, if this user may.
func install(ctx context.Context, report func(step string), program string, packages []string) error {
	missing := errMissing(program, packages)
	prefix, allowed := installerPrefix(ctx)
	if !allowed {
		return missing
	}
	report(fmt.Sprintf("installing %s, because %s is missing", strings.Join(packages, " "), program))
	arguments := append([]string{"install", "--no-install-recommends"}, packages...)
	if aptGet(ctx, prefix, arguments...) == nil {
		return nil
	}
	// A fresh machine has no lists of packages yet, and the lists of an old machine name versions that are gone.
	if err := aptGet(ctx, prefix, "update"); err != nil {
		return errors.Join(missing, err)
	}
	if err := aptGet(ctx, prefix, arguments...); err != nil {
		return errors.Join(missing, err)
	}
	return nil
}

// installerPrefix returns what stands before apt-get, and whether this user may run it at all.
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

// aptGet runs apt-get without questions. It waits for another apt-get that holds the lock, because parallel tests on a fresh machine
// may all install.
func aptGet(ctx context.Context, prefix []string, arguments ...string) error {
	line := append(append([]string{}, prefix...), "env", "DEBIAN_FRONTEND=noninteractive",
		"apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")
	line = append(line, arguments...)
	command := exec.CommandContext(ctx, line[0], line[1:]...) // #nosec G204 -- a fixed command line
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(line, " "), err, proc.LastLines(output, 10))
	}
	return nil
}
