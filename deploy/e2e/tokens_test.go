package e2e

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sessionOf reads the session's id out of a token.
func sessionOf(t *testing.T, token string) uint64 {
	t.Helper()
	id, err := strconv.ParseUint(claimsOf(t, token)["sid"].(string), 10, 64)
	require.NoError(t, err)
	return id
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(content, &claims))
	return claims
}

// expiredToken returns the token as it would be had its hour come a second ago: signed with the system's own newest key.
func expiredToken(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	claims := claimsOf(t, token)
	claims["exp"] = time.Now().Add(-time.Second).Unix()
	content, err := json.Marshal(claims)
	require.NoError(t, err)
	unsigned := parts[0] + "." + base64.RawURLEncoding.EncodeToString(content)
	return unsigned + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(newestKey(t), []byte(unsigned)))
}

func newestKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(system.Data, "secrets", "token-keys", "*.pem"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	content, err := os.ReadFile(slices.Max(paths))
	require.NoError(t, err)
	block, _ := pem.Decode(content)
	require.NotNil(t, block)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key.(ed25519.PrivateKey)
}
