package dbpair

import (
	"context"

	"oms.internal/servers/packages"
)

// The packages that bring MariaDB's programs. They bring no system service, so nothing starts by itself after installing them.
var (
	serverPackages = []string{"mariadb-server-core", "mariadb-client-core"}
	dumpPackages   = []string{"mariadb-client"}
)

// findMariaDB returns the paths of the server and of the program that makes an empty data folder.
func findMariaDB() (server, installer string, err error) {
	server, serverErr := packages.Find("mariadbd")
	installer, installerErr := packages.Find("mariadb-install-db")
	if serverErr != nil || installerErr != nil {
		return "", "", packages.Missing("mariadbd", serverPackages...)
	}
	return server, installer, nil
}

// InstallMariaDB installs the packages of MariaDB's servers if they are missing, and tells report. It needs to be root or to have sudo
// without a password; otherwise the error says what to install.
func InstallMariaDB(ctx context.Context, report func(step string)) error {
	// One program may be there without the other.
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if err := packages.Install(ctx, report, program, serverPackages...); err != nil {
			return err
		}
	}
	_, _, err := findMariaDB()
	return err
}

// installDump is InstallMariaDB for the program that makes dumps. Only backups and the rebuilding of a replica need it.
func installDump(ctx context.Context, report func(step string)) error {
	return packages.Install(ctx, report, "mariadb-dump", dumpPackages...)
}
