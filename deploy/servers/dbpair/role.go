package dbpair

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// rolesRecord is the file beside the servers' data that says which of the two is the primary. It is one file, so that there
// is never a moment at which both would start as it.
type rolesRecord struct {
	Primary string `json:"primary"` // name of the server
}

func rolesFile(dir string) string { return filepath.Join(dir, "roles.json") }

// RecordedPrimary is the name of the server of a MariaDB pair in dir that starts as the primary: the one of that name until
// a failover.
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
