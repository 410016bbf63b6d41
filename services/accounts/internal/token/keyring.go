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

	"github.com/MicahParks/jwkset"

	"oms.internal/libs/authn"
)

type signingKey struct {
	id      string
	private ed25519.PrivateKey
}

// Keyring holds the signing keys. The newest signs; all are published, so that tokens signed by an older one verify
// until they expire.
type Keyring struct {
	newest signingKey
	jwks   json.RawMessage
}

// LoadKeyring reads all keys of a directory: PKCS #8 PEM files named *.pem. The last by name is the newest.
func LoadKeyring(ctx context.Context, dir string) (*Keyring, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: there is no *.pem file in it", dir)
	}
	slices.Sort(paths)
	var newest signingKey
	var problems []error
	published := jwkset.NewMemoryStorage()
	for _, path := range paths {
		private, err := authn.ReadPrivateKey(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		public := private.Public().(ed25519.PublicKey)
		newest = signingKey{id: keyID(public), private: private}
		problems = append(problems, publish(ctx, published, newest.id, public))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	jwks, err := published.JSONPublic(ctx)
	if err != nil {
		return nil, fmt.Errorf("encode keys: %w", err)
	}
	return &Keyring{newest: newest, jwks: jwks}, nil
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
func (k *Keyring) JWKS() []byte { return k.jwks }
