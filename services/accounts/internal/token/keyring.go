// Package token issues the access tokens of sessions and publishes the keys with which others verify them.
//
// A token is a JWT (RFC 7519) of type at+jwt (RFC 9068), signed with Ed25519 (RFC 8037).
package token

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/MicahParks/jwkset"

	"oms.internal/libs/authn/assertion"
)

type signingKey struct {
	id      string
	private ed25519.PrivateKey
}

// ring is what a directory of keys holds at one time.
type ring struct {
	newest signingKey
	ids    []string
	jwks   json.RawMessage
	mark   string // of the directory before it was read
}

// Keyring holds the signing keys of a directory. The newest signs; all are published, so that tokens signed by an older
// one verify until they expire. It is safe for concurrent use; Watch keeps it up to date.
type Keyring struct {
	dir     string
	mutex   sync.RWMutex
	ring    ring
	signing signingKey
}

// LoadKeyring reads all keys of a directory: PKCS #8 PEM files named *.pem. The last by name is the newest.
func LoadKeyring(ctx context.Context, dir string) (*Keyring, error) {
	loaded, err := loadRing(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &Keyring{dir: dir, ring: loaded, signing: loaded.newest}, nil
}

func loadRing(ctx context.Context, dir string) (ring, error) {
	loaded := ring{mark: mark(dir)}
	paths, err := keyFiles(dir)
	if err != nil {
		return ring{}, err
	}
	if len(paths) == 0 {
		return ring{}, fmt.Errorf("%s: there is no *.pem file in it", dir)
	}
	var problems []error
	published := jwkset.NewMemoryStorage()
	for _, path := range paths {
		private, err := assertion.ReadPrivateKey(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		public := private.Public().(ed25519.PublicKey)
		loaded.newest = signingKey{id: keyID(public), private: private}
		loaded.ids = append(loaded.ids, loaded.newest.id)
		problems = append(problems, publish(ctx, published, loaded.newest.id, public))
	}
	if err := errors.Join(problems...); err != nil {
		return ring{}, err
	}
	if loaded.jwks, err = published.JSONPublic(ctx); err != nil {
		return ring{}, fmt.Errorf("encode keys: %w", err)
	}
	return loaded, nil
}

// keyFiles returns the paths of all keys in a directory, the oldest first.
func keyFiles(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	slices.Sort(paths)
	return paths, err
}

func publish(ctx context.Context, published jwkset.Storage, id string, public ed25519.PublicKey) error {
	key, err := jwkset.NewJWKFromKey(public, jwkset.JWKOptions{
		Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.AlgEdDSA, KID: id, USE: jwkset.UseSig},
	})
	if err != nil {
		return fmt.Errorf("publish key: %w", err)
	}
	return published.KeyWrite(ctx, key)
}

// keyID is a digest of the public key, so that the same key has the same id everywhere.
func keyID(public ed25519.PublicKey) string {
	digest := sha256.Sum256(public)
	return base64.RawURLEncoding.EncodeToString(digest[:12])
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517).
func (k *Keyring) JWKS() []byte {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.ring.jwks
}

// signer returns the key that signs now.
func (k *Keyring) signer() signingKey {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.signing
}
