// Package testkit plays the neighbours of the gateway in its tests. Nothing but tests may import it.
package testkit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// Issuer signs access tokens as accounts does.
type Issuer struct {
	KeyID string
	Key   ed25519.PrivateKey
}

// NewIssuer returns an issuer with a key of its own.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return &Issuer{KeyID: rand.Text(), Key: key}
}

// Public is the issuer's public key.
func (i *Issuer) Public() ed25519.PublicKey {
	return i.Key.Public().(ed25519.PublicKey) // as documented
}

// Claims are those of a valid token of a session of a member at a time, to be changed by the test.
func Claims(memberID, sessionID uint64, now time.Time) jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "oms",
		"aud": "oms",
		"sub": strconv.FormatUint(memberID, 10),
		"sid": strconv.FormatUint(sessionID, 10),
		"adm": false,
		"jti": rand.Text(),
		"iat": now.Unix(),
		"exp": now.Add(10 * time.Hour).Unix(),
	}
}

// Sign returns a token with claims; header overrides what accounts would write there, and removes what it sets to nil.
func (i *Issuer) Sign(t testing.TB, claims jwt.Claims, header map[string]any) string {
	t.Helper()
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
	unsigned.Header["typ"], unsigned.Header["kid"] = "at+jwt", i.KeyID
	maps.Copy(unsigned.Header, header)
	maps.DeleteFunc(unsigned.Header, func(_ string, value any) bool { return value == nil })
	signed, err := unsigned.SignedString(i.Key)
	require.NoError(t, err)
	return signed
}

// Token returns a valid token of a session of a member.
func (i *Issuer) Token(t *testing.T, memberID, sessionID uint64) string {
	t.Helper()
	return i.Sign(t, Claims(memberID, sessionID, time.Now()), nil)
}

// WriteKeys answers a request for the public keys of issuers.
func WriteKeys(w http.ResponseWriter, issuers ...*Issuer) {
	keys := []map[string]string{}
	for _, issuer := range issuers {
		keys = append(keys, map[string]string{
			"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
			"kid": issuer.KeyID, "x": base64.RawURLEncoding.EncodeToString(issuer.Public()),
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
}
