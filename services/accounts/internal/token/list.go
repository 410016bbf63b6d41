package token

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"time"

	"oms.internal/libs/authn/assertion"
)

// Key is a signing key for people to look at.
type Key struct {
	File string    // its name
	ID   string    // the key's id (kid)
	Made time.Time // the age of the file
}

// List returns the keys of a directory, the oldest first. The last one signs.
func List(dir string) ([]Key, error) {
	paths, err := keyFiles(dir)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(paths))
	for i, path := range paths {
		private, err := assertion.ReadPrivateKey(path)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		keys[i] = Key{File: filepath.Base(path), ID: keyID(private.Public().(ed25519.PublicKey)), Made: info.ModTime()}
	}
	return keys, nil
}
