package secret

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Check reads all secrets and reports those that cannot be right, each with its file and what to do.
func Check(dir string) error {
	var problems []error
	for _, name := range Passwords {
		_, err := Read(dir, name)
		problems = append(problems, err)
	}
	keys, err := filepath.Glob(filepath.Join(dir, TokenKeys, "*.pem"))
	problems = append(problems, err)
	for _, path := range append([]string{filepath.Join(dir, PrincipalKey)}, keys...) {
		if _, err := readKey(path); err != nil {
			problems = append(problems, fmt.Errorf("%w; %s", err, putBack(filepath.Base(path))))
		}
	}
	return errors.Join(problems...)
}

// Read returns a password. A file that was cut, emptied or mixed up is an error.
func Read(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	content, err := os.ReadFile(path) // #nosec G304 -- our own folder
	if err != nil {
		return "", fmt.Errorf("secret %s: %w; %s", name, err, putBack(name))
	}
	text := strings.TrimRight(string(content), "\r\n")
	switch {
	case text == "":
		err = errors.New("is empty")
	case !letters.MatchString(text):
		err = errors.New("holds something other than letters and digits")
	case len(text) != passwordLength:
		err = fmt.Errorf("holds %d characters, not %d", len(text), passwordLength)
	}
	if err != nil {
		return "", fmt.Errorf("secret %s: %s %w; %s", name, path, err, putBack(name))
	}
	return text, nil
}

var letters = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// putBack says what to do about a secret that cannot be used.
func putBack(name string) string {
	switch {
	case strings.HasPrefix(name, "mysql-"):
		return "put the file back from a copy, because the databases remember the password"
	case name == "idempotency":
		return "put the file back from a copy. If there is none, remove it: `make up` makes another, and repeated sign-ups get no kept answer"
	case strings.HasPrefix(name, "nats-"), name == PrincipalKey:
		return "put the file back from a copy, or remove it: `make up` makes another"
	default:
		return "put the file back from a copy. If there is none, remove it: the tokens that it signed are refused from then on"
	}
}

func readKey(path string) (ed25519.PrivateKey, error) {
	content, err := os.ReadFile(path) // #nosec G304 -- our own folder
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	block, rest := pem.Decode(content)
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, fmt.Errorf("secret %s: %s does not hold one PEM block", filepath.Base(path), path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %s: %w", filepath.Base(path), path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("secret %s: %s holds a %T, not an Ed25519 key", filepath.Base(path), path, key)
	}
	return private, nil
}
