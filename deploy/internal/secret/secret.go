// Package secret makes the stack's secrets: passwords of the database's and NATS's users, the key that signs principals, the first key that
// signs tokens, and the key that seals stored answers. Only their owner can read the files and their folder. A secret that exists is
// never changed, because the databases remember the passwords; whoever reads it checks its form.
package secret

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// Passwords are the names of the secrets that are random text, each the name of its file.
var Passwords = []string{
	"mysql-root", "mysql-accounts-app", "mysql-accounts-migrate", "mysql-orders-app", "mysql-orders-migrate",
	"mysql-replicator", "mysql-ops",
	"nats-accounts", "nats-orders", "nats-gateway", "nats-ops",
	// accounts seals with it the answers that it keeps for repeated requests.
	"idempotency",
}

const (
	// PrincipalKey is the gateway's key, which signs the principal of each request.
	PrincipalKey = "principal.pem"
	// PrincipalPublicKey is the services' key, which verifies the principal.
	PrincipalPublicKey = "principal.pub.pem"
	// TokenKeys is a folder of keys. The newest signs tokens, and all verify them.
	TokenKeys = "token-keys"
)

// Ensure makes the secrets in dir that do not exist yet, and checks those that exist. It also takes other users' access from them.
func Ensure(dir string, now time.Time) error {
	keys := filepath.Join(dir, TokenKeys)
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	for _, name := range Passwords {
		if err := ensureFile(filepath.Join(dir, name), password); err != nil {
			return fmt.Errorf("secret %s: %w", name, err)
		}
	}
	if err := ensureFile(filepath.Join(dir, PrincipalKey), newKey); err != nil {
		return fmt.Errorf("secret %s: %w", PrincipalKey, err)
	}
	if err := ensurePublicKey(dir); err != nil {
		return fmt.Errorf("secret %s: %w", PrincipalPublicKey, err)
	}
	existing, err := filepath.Glob(filepath.Join(keys, "*.pem"))
	if err != nil {
		return fmt.Errorf("token keys: %w", err)
	}
	if len(existing) == 0 {
		existing = []string{filepath.Join(keys, now.UTC().Format("20060102T150405Z")+".pem")}
	}
	for _, key := range existing {
		if err := ensureFile(key, newKey); err != nil {
			return fmt.Errorf("token key: %w", err)
		}
	}
	return errors.Join(os.Chmod(dir, 0o700), os.Chmod(keys, 0o700), Check(dir)) // #nosec G302 -- folders need the x bit
}

// ensurePublicKey writes the key that belongs to the gateway's, if another is there or none.
func ensurePublicKey(dir string) error {
	path := filepath.Join(dir, PrincipalPublicKey)
	public, err := publicKeyOf(filepath.Join(dir, PrincipalKey))
	if err != nil {
		return err
	}
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, public) { // #nosec G304 -- our own folder
		return os.Chmod(path, 0o600)
	}
	return renameio.WriteFile(path, public, 0o600)
}

// ensureFile makes the file if there is none. Half of a secret never counts as one, because the file gets its name when it is complete.
func ensureFile(path string, content func() ([]byte, error)) error {
	if _, err := os.Stat(path); err == nil {
		return os.Chmod(path, 0o600)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	value, err := content()
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, value, 0o600)
}

const passwordLength = 32

// password returns 32 letters and digits (about 190 bits). Other characters would need quoting in SQL, shell and configuration files. MySQL
// takes no longer password for replication.
func password() ([]byte, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	text := make([]byte, passwordLength)
	for i := range text {
		position, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return nil, err
		}
		text[i] = alphabet[position.Int64()]
	}
	return text, nil
}

func newKey() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), nil
}

func publicKeyOf(path string) ([]byte, error) {
	private, err := readKey(path)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, putBack(filepath.Base(path)))
	}
	encoded, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}), nil
}
