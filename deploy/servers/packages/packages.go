// Package packages finds programs of the system's packages, and installs those that are missing, if this user may. It knows apt-get only;
// elsewhere the error says what to install.
package packages

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

// Find finds a program in PATH, and in the folders of servers, which are not in an ordinary user's PATH.
func Find(name string) (string, error) {
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

// Missing is the error that a program is not installed. It says which packages bring it.
func Missing(program string, names ...string) error {
	return fmt.Errorf("%s is not installed; run: apt-get install %s", program, strings.Join(names, " "))
}

// Install installs the packages of a program, if the program is missing, and tells report. It needs to be root or to have sudo
// without a password; otherwise the error says what to install.
func Install(ctx context.Context, report func(step string), program string, names ...string) error {
	if _, err := Find(program); err == nil {
		return nil
	}
	missing := Missing(program, names...)
	prefix, allowed := installerPrefix(ctx)
	if !allowed {
		return missing
	}
	report(fmt.Sprintf("installing %s, because %s is missing", strings.Join(names, " "), program))
	arguments := append([]string{"install", "--no-install-recommends"}, names...)
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
