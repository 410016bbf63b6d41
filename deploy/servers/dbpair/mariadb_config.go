package dbpair

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed mariadb.cnf.tmpl
var mariadbTemplateText string

var mariadbTemplate = template.Must(template.New("mariadb.cnf").Parse(mariadbTemplateText))

// mariadbConfig returns a server's configuration without its role (see roleLines).
func mariadbConfig(dir string, id, port int, options Options) (string, error) {
	var config strings.Builder
	err := mariadbTemplate.Execute(&config, map[string]any{
		"Dir": dir, "ID": id, "Port": port, "Socket": socketPath(dir), "SemiSyncTimeout": semiSyncTimeout, "Options": options,
		"Root": os.Geteuid() == 0,
	})
	return config.String(), err
}

// roleLines returns the part of the configuration that a failover changes.
func roleLines(replica bool) string {
	if !replica {
		return ""
	}
	return "\n# Only replication writes on a replica.\nread_only = ON\n"
}

// socketPath returns a path in the server's folder. If that is too long for the kernel (about 100 bytes), the path is in the temporary
// folder.
func socketPath(dir string) string {
	const longest = 100
	path := filepath.Join(dir, "mysqld.sock")
	if len(path) <= longest {
		return path
	}
	digest := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), "oms-"+hex.EncodeToString(digest[:8])+".sock")
}
