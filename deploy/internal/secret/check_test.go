package secret_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/secret"
)

func TestASecretThatWasDamagedIsNamedWithItsFileAndWhatToDo(t *testing.T) {
	t.Parallel()
	dir := made(t)
	keys, err := filepath.Glob(filepath.Join(dir, secret.TokenKeys, "*.pem"))
	require.NoError(t, err)
	files := append([]string{filepath.Join(dir, secret.PrincipalKey)}, keys...)
	for _, name := range secret.Passwords {
		files = append(files, filepath.Join(dir, name))
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		require.NoError(t, err)
		for name, content := range map[string]string{
			"empty": "", "a line end": "\n", "cut": string(whole[:len(whole)-2]), "half": string(whole[:len(whole)/2]),
			"doubled": string(whole) + string(whole), "garbage": "\x00\xff" + string(whole[2:]), "two lines": string(whole[:8]) + "\n" + string(whole[9:20]),
		} {
			require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
			err := secret.Ensure(dir, time.Now())
			require.ErrorContains(t, err, file, name)
			require.ErrorContains(t, err, "put the file back from a copy", "%s: %s", file, name)
			require.NotContains(t, err.Error(), string(whole[:8])+string(whole[9:20]), "no secret is printed")
		}
		require.NoError(t, os.WriteFile(file, whole, 0o600))
		require.NoError(t, secret.Ensure(dir, time.Now()))
	}
}

func TestThePublicKeyIsMadeAnewFromThePrivateOne(t *testing.T) {
	t.Parallel()
	dir := made(t)
	public := filepath.Join(dir, secret.PrincipalPublicKey)
	right, err := os.ReadFile(public)
	require.NoError(t, err)
	for _, content := range []string{"", "garbage", string(right[:40])} {
		require.NoError(t, os.WriteFile(public, []byte(content), 0o600))
		require.NoError(t, secret.Ensure(dir, time.Now()))
		repaired, err := os.ReadFile(public)
		require.NoError(t, err)
		require.Equal(t, right, repaired)
	}
	before := secret.Digest(dir, secret.PrincipalKey, secret.PrincipalPublicKey)
	require.NoError(t, os.Remove(filepath.Join(dir, secret.PrincipalKey)))
	require.NoError(t, secret.Ensure(dir, time.Now()))
	repaired, err := os.ReadFile(public)
	require.NoError(t, err)
	require.NotEqual(t, right, repaired)
	require.NotEqual(t, before, secret.Digest(dir, secret.PrincipalKey, secret.PrincipalPublicKey))
}
