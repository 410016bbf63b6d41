package dbpair

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// rolesRecord is the content of a file beside the servers' data that says which of them starts as the primary. It is one file for both,
// so that there is never a moment at which both would start as the primary.
type rolesRecord struct {
	Primary string `json:"primary"` // name of the server
}

func rolesFile(dir string) string { return filepath.Join(dir, "roles.json") }

// RecordedPrimary returns the name of the server that starts as the primary of the MariaDB pair in dir. Before the first failover it is
// the server called "primary".
func RecordedPrimary(dir string) (string, error) {
	content, err := os.ReadFile(rolesFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return primaryName, nil
	}
	if err != nil {
		return "", fmt.Errorf("roles of the pair: %w", err)
	}
	var record rolesRecord
	if err := json.Unmarshal(content, &record); err != nil {
		return "", fmt.Errorf("roles of the pair: %s: %w", rolesFile(dir), err)
	}
	if record.Primary != primaryName && record.Primary != replicaName {
		return "", fmt.Errorf("roles of the pair: %s names %q", rolesFile(dir), record.Primary)
	}
	return record.Primary, nil
}

func recordPrimary(dir, name string) error {
	content, err := json.Marshal(rolesRecord{Primary: name})
	if err != nil {
		return fmt.Errorf("roles of the pair: %w", err)
	}
	unfinished := rolesFile(dir) + ".new"
	if err := os.WriteFile(unfinished, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("roles of the pair: %w", err)
	}
	if err := os.Rename(unfinished, rolesFile(dir)); err != nil {
		return fmt.Errorf("roles of the pair: %w", err)
	}
	return nil
}
