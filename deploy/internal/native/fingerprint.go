package native

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
)

// fingerprintOf returns what a service is started with, as "NAME=digest" each: its binary, its settings, and the files that it reads only
// when it starts: secrets, keys and certificates. A file that was renewed may have its old name.
func fingerprintOf(binary string, settings []string) (string, error) {
	parts := []string{"settings=" + digest([]byte(strings.Join(settings, "\n"))), "binary=" + binary}
	for _, setting := range settings {
		name, path, _ := strings.Cut(setting, "=")
		if !strings.HasSuffix(name, "_FILE") {
			continue
		}
		content, err := os.ReadFile(path) // #nosec G304 G703 -- files that the settings name
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		parts = append(parts, name+"="+digest(content))
	}
	return strings.Join(parts, " "), nil
}

// digest is short, because it only has to differ.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// changed returns the names of what differs between two fingerprints.
func changed(before, after string) string {
	var names []string
	old := strings.Fields(before)
	for part := range strings.FieldsSeq(after) {
		if name, _, _ := strings.Cut(part, "="); !slices.Contains(old, part) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "settings"
	}
	return strings.Join(names, ", ")
}
