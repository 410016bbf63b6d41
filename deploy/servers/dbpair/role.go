package dbpair

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// rolesRecord is the content of a file beside the servers' data that says which of them starts as the primary. It is one file for both,
// so that there is never a moment at which both would start as the primary.
type rolesRecord struct {
	Primary string `json:"primary"` // name of the server
}

func rolesFile(dir string) string { return filepath.Join(dir, "roles.json") }

// RecordedPrimary returns the name of the server that starts as the primary of the MariaDB pair in dir. Before the first start it is
// the server called "primary". If the record is lost or damaged, the servers' data may tell: the one that followed the other is the replica.
func RecordedPrimary(dir string) (string, error) {
	recorded, err := readRoles(dir)
	if err == nil {
		return recorded, nil
	}
	started := false
	followed := map[string]bool{}
	for _, name := range []string{primaryName, replicaName} {
		has, lookErr := hasSource(filepath.Join(dir, name))
		_, dataErr := os.Stat(dataIn(filepath.Join(dir, name)))
		if dataErr != nil && !errors.Is(dataErr, os.ErrNotExist) {
			lookErr = errors.Join(lookErr, dataErr)
		}
		if lookErr != nil {
			return "", errors.Join(err, lookErr)
		}
		followed[name] = has
		started = started || dataErr == nil
	}
	switch {
	case followed[primaryName] && !followed[replicaName]:
		return replicaName, nil
	case followed[replicaName] && !followed[primaryName], errors.Is(err, os.ErrNotExist) && !started:
		return primaryName, nil
	}
	return "", fmt.Errorf("which database server starts as the primary: %w, and the data does not tell. Write %s into the file, or %s; "+
		"deploy/RECOVERY.md says how to choose", err, rolesText(primaryName), rolesText(replicaName))
}

func readRoles(dir string) (primary string, err error) {
	content, err := os.ReadFile(rolesFile(dir))
	var record rolesRecord
	if err == nil {
		err = json.Unmarshal(content, &record)
	}
	if err == nil && record.Primary != primaryName && record.Primary != replicaName {
		err = fmt.Errorf("it names %q", record.Primary)
	}
	if err != nil {
		return "", fmt.Errorf("roles of the pair: %s: %w", rolesFile(dir), err)
	}
	return record.Primary, nil
}

func rolesText(primary string) string { return fmt.Sprintf("{%q:%q}", "primary", primary) }

func recordPrimary(dir, name string) error {
	if err := renameio.WriteFile(rolesFile(dir), []byte(rolesText(name)+"\n"), 0o600); err != nil {
		return fmt.Errorf("roles of the pair: %w", err)
	}
	return nil
}
