package secret

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// NATSPasswords is the file that deploy/nats/nats.conf includes: the passwords of NATS's users as variables.
func NATSPasswords(dir string) (string, error) {
	var text strings.Builder
	text.WriteString("# Made from the secrets when the stack starts.\n")
	for _, user := range []string{"accounts", "orders", "gateway", "ops"} {
		password, err := Read(dir, "nats-"+user)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "%s_password: %q\n", user, password)
	}
	return text.String(), nil
}

var placeholder = regexp.MustCompile(`\{\{([a-z-]+)\}\}`)

// Statements returns the SQL statements of a template with the secrets that it names filled in.
func Statements(template, dir string) ([]string, error) {
	content, err := os.ReadFile(template) // #nosec G304 -- a file of the repository
	if err != nil {
		return nil, fmt.Errorf("schemas and users: %w", err)
	}
	var statements []string
	for part := range strings.SplitSeq(withoutComments(string(content)), ";\n") {
		statement := strings.TrimSpace(part)
		if statement == "" {
			continue
		}
		for _, match := range placeholder.FindAllStringSubmatch(statement, -1) {
			password, err := Read(dir, match[1])
			if err != nil {
				return nil, fmt.Errorf("schemas and users: %w", err)
			}
			statement = strings.ReplaceAll(statement, match[0], password)
		}
		statements = append(statements, statement)
	}
	return statements, nil
}

func withoutComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// Publish copies the secrets into a folder from which containers mount them one by one. The files there are readable by
// all, because the users inside the images have other numbers than ours; what keeps others on this machine away is the
// folder itself, which only we may enter. A container sees the files that it is given and no others.
//
// What is there already stays as it is: running containers have it mounted.
func Publish(dir, target string) error {
	keys := filepath.Join(target, TokenKeys)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("publish secrets: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, TokenKeys, "*.pem"))
	if err != nil {
		return fmt.Errorf("publish secrets: %w", err)
	}
	if err := removeOthers(keys, files); err != nil {
		return fmt.Errorf("publish secrets: %w", err)
	}
	for _, name := range append([]string{PrincipalKey, PrincipalPublicKey}, Passwords...) {
		files = append(files, filepath.Join(dir, name))
	}
	for _, file := range files {
		content, err := os.ReadFile(file) // #nosec G304 -- our own folder
		if err != nil {
			return fmt.Errorf("publish secrets: %w", err)
		}
		if err := publishFile(filepath.Join(target, strings.TrimPrefix(file, dir)), content); err != nil {
			return err
		}
	}
	passwords, err := NATSPasswords(dir)
	if err != nil {
		return err
	}
	if err := publishFile(filepath.Join(target, "nats-passwords.conf"), []byte(passwords)); err != nil {
		return err
	}
	return os.Chmod(keys, 0o755) // #nosec G302 -- below a private folder, see above
}

// removeOthers removes the published keys that are no longer among the originals: a key taken back must not verify.
func removeOthers(published string, originals []string) error {
	wanted := map[string]bool{}
	for _, original := range originals {
		wanted[filepath.Base(original)] = true
	}
	entries, err := os.ReadDir(published)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !wanted[entry.Name()] {
			if err := os.Remove(filepath.Join(published, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func publishFile(path string, content []byte) error {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) { // #nosec G304 -- our own folder
		return nil
	}
	err := errors.Join(os.RemoveAll(path), os.WriteFile(path, content, 0o600)) // #nosec G703 -- below our own folder
	if err != nil {
		return fmt.Errorf("publish secrets: %w", err)
	}
	// Not by the mode of the write, which the umask narrows.
	if err := os.Chmod(path, 0o444); err != nil { // #nosec G302 -- below a private folder, see above
		return fmt.Errorf("publish secrets: %w", err)
	}
	return nil
}
