package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/token"
)

// writeKey puts a new Ed25519 key into dir, as the stack's start does.
func writeKey(t *testing.T, dir, name string) ed25519.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	writePEM(t, dir, name, private)
	return public
}

func writePEM(t *testing.T, dir, name string, key any) {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write(t, dir, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
}

func load(t *testing.T, dir string) *token.Keyring {
	t.Helper()
	keys, err := token.LoadKeyring(t.Context(), dir)
	require.NoError(t, err)
	return keys
}

// oneKey returns a keyring of one key.
func oneKey(t *testing.T) *token.Keyring {
	t.Helper()
	dir := t.TempDir()
	writeKey(t, dir, "a.pem")
	return load(t, dir)
}

// published is a JWKS as a verifier reads it (RFC 8037, section 2).
func published(t *testing.T, keys *token.Keyring) map[string]ed25519.PublicKey {
	t.Helper()
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(keys.JWKS(), &set))
	byID := map[string]ed25519.PublicKey{}
	for _, key := range set.Keys {
		require.Equal(t, "OKP", key["kty"])
		require.Equal(t, "Ed25519", key["crv"])
		require.Equal(t, "EdDSA", key["alg"])
		require.Equal(t, "sig", key["use"])
		require.NotContains(t, key, "d", "the private key is published")
		public, err := base64.RawURLEncoding.DecodeString(key["x"])
		require.NoError(t, err)
		byID[key["kid"]] = public
	}
	require.Len(t, byID, len(set.Keys))
	return byID
}

func TestAllKeysOfTheDirectoryArePublishedAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	older, newer := writeKey(t, dir, "20260101T000000.pem"), writeKey(t, dir, "20260201T000000.pem")
	write(t, dir, "README", []byte("no key"))
	write(t, dir, "20260301T000000.pem.new", []byte("a key that is being written"))
	var keys []ed25519.PublicKey
	for _, key := range published(t, load(t, dir)) {
		keys = append(keys, key)
	}
	require.ElementsMatch(t, []ed25519.PublicKey{older, newer}, keys)
}

func TestAKeyKeepsItsIDWhateverItsFileIsCalled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKey(t, dir, "a.pem")
	before := published(t, load(t, dir))
	require.NoError(t, os.Rename(filepath.Join(dir, "a.pem"), filepath.Join(dir, "b.pem")))
	require.Equal(t, before, published(t, load(t, dir)))
}

func TestADirectoryWithoutUsableKeysIsAnErrorThatNamesItAndThem(t *testing.T) {
	t.Parallel()
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for name, fill := range map[string]func(dir string){
		"empty":            func(string) {},
		"only other files": func(dir string) { write(t, dir, "key.txt", []byte("x")) },
		"not PEM":          func(dir string) { write(t, dir, "bad.pem", []byte("hello")) },
		"PEM of something else": func(dir string) {
			write(t, dir, "bad.pem", pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: []byte("x")}))
		},
		"empty file":               func(dir string) { write(t, dir, "bad.pem", nil) },
		"another kind of key":      func(dir string) { writePEM(t, dir, "bad.pem", elliptical) },
		"one of two is unreadable": func(dir string) { writeKey(t, dir, "a.pem"); write(t, dir, "bad.pem", []byte("hello")) },
		"a directory":              func(dir string) { require.NoError(t, os.Mkdir(filepath.Join(dir, "bad.pem"), 0o700)) },
	} {
		dir := t.TempDir()
		fill(dir)
		_, err := token.LoadKeyring(t.Context(), dir)
		require.ErrorContains(t, err, dir, name)
	}
	_, err = token.LoadKeyring(t.Context(), filepath.Join(t.TempDir(), "missing"))
	require.Error(t, err)

	dir := t.TempDir()
	for _, bad := range []string{"bad1.pem", "bad2.pem"} {
		write(t, dir, bad, []byte("hello"))
	}
	_, err = token.LoadKeyring(t.Context(), dir)
	require.ErrorContains(t, err, "bad1.pem")
	require.ErrorContains(t, err, "bad2.pem", "all are reported at once")
}
