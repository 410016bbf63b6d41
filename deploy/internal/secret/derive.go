package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/renameio/v2"
)

// NATSPasswords returns the file that deploy/nats/nats.conf includes. It holds the passwords of NATS's users as variables.
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

// Statements returns the SQL statements of a template. It fills in the secrets that the template names.
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

// Publish copies the secrets into a folder from which containers mount them one by one. The files there are readable by all, because the
// users in the images have other numbers than this user. The folder itself keeps others on this machine away, because only this
// user may enter it. A container sees only the files that are mounted into it.
//
// A file whose content is right is left as it is, because running containers have it mounted.
func Publish(dir, target string) error {
	if err := publish(dir, target); err != nil {
		return fmt.Errorf("publish secrets: %w", err)
	}
	return nil
}

func publish(dir, target string) error {
	keys := filepath.Join(target, TokenKeys)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, TokenKeys, "*.pem"))
	if err != nil {
		return err
	}
	if err := removeOthers(keys, files); err != nil {
		return err
	}
	for _, name := range append([]string{PrincipalKey, PrincipalPublicKey}, Passwords...) {
		files = append(files, filepath.Join(dir, name))
	}
	for _, file := range files {
		content, err := os.ReadFile(file) // #nosec G304 -- our own folder
		if err != nil {
			return err
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

// removeOthers removes published keys that are no longer among the originals, because a key that was removed must not verify tokens.
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

// Digest stands for the content of files, such as secrets: it differs where one of them does. It is empty if one cannot be read.
func Digest(dir string, names ...string) string {
	digest := sha256.New()
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dir, name)) // #nosec G304 -- our own folder
		if err != nil {
			return ""
		}
		sum := sha256.Sum256(content)
		digest.Write(sum[:])
	}
	return hex.EncodeToString(digest.Sum(nil))
}

func publishFile(path string, content []byte) error {
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) { // #nosec G304 -- our own folder
		return nil
	}
	return renameio.WriteFile(path, content, 0o444, renameio.IgnoreUmask()) // below a private folder, see above
}
