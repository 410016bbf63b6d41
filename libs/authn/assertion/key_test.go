package assertion_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
)

func privatePEM(t *testing.T, key any) []byte {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

func publicPEM(t *testing.T, key any) []byte {
	t.Helper()
	encoded, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})
}

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func TestKeysAreReadFromTheirPEMFiles(t *testing.T) {
	t.Parallel()
	private, err := assertion.ReadPrivateKey(write(t, privatePEM(t, gatewayKey)))
	require.NoError(t, err)
	require.Equal(t, gatewayKey, private)
	public, err := assertion.ReadPublicKey(write(t, publicPEM(t, publicKey(gatewayKey))))
	require.NoError(t, err)
	require.Equal(t, publicKey(gatewayKey), public)
}

func TestOtherFilesAreRefusedAndNamed(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, public := privatePEM(t, gatewayKey), publicPEM(t, publicKey(gatewayKey))
	refusals := map[string]error{}
	for name, content := range map[string][]byte{
		"empty": nil, "text": []byte("key"), "public": public, "another kind": privatePEM(t, curve), "cut off": private[:60],
	} {
		path := write(t, content)
		_, refusals["private, "+name] = assertion.ReadPrivateKey(path)
		require.ErrorContains(t, refusals["private, "+name], path)
	}
	for name, content := range map[string][]byte{
		"empty": nil, "text": []byte("key"), "private": private, "another kind": publicPEM(t, curve.Public()), "cut off": public[:60],
	} {
		path := write(t, content)
		_, refusals["public, "+name] = assertion.ReadPublicKey(path)
		require.ErrorContains(t, refusals["public, "+name], path)
	}
	_, err = assertion.ReadPrivateKey("/nonexistent/key.pem")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = assertion.ReadPublicKey("/nonexistent/key.pem")
	require.ErrorIs(t, err, os.ErrNotExist)
}
