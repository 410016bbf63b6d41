package secret_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/secret"
)

func made(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "secrets")
	require.NoError(t, secret.Ensure(dir, time.Now()))
	return dir
}

// contents returns each file of a folder by its path in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) // #nosec G304 G122 -- a folder of this test
		files[strings.TrimPrefix(path, dir)] = string(content)
		return err
	}))
	return files
}

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := made(t)
	before := contents(t, dir)
	require.Len(t, before, len(secret.Passwords)+3)
	require.NoError(t, secret.Ensure(dir, time.Now().Add(time.Hour)))
	require.Equal(t, before, contents(t, dir))
}

func TestSecretsAreForTheirOwnerOnly(t *testing.T) {
	dir := made(t)
	require.NoError(t, os.Chmod(dir, 0o755))                                     // #nosec G302 -- what Ensure is to mend
	require.NoError(t, os.Chmod(filepath.Join(dir, secret.PrincipalKey), 0o644)) // #nosec G302 -- the same
	require.NoError(t, secret.Ensure(dir, time.Now()))
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		require.Equal(t, want, info.Mode().Perm(), path)
		return nil
	}))
}

func TestPasswordsAreLongDistinctAndNeedNoQuoting(t *testing.T) {
	dir := made(t)
	seen := map[string]bool{}
	for _, name := range secret.Passwords {
		password, err := secret.Read(dir, name)
		require.NoError(t, err)
		require.Regexp(t, `^[A-Za-z0-9]{32}$`, password)
		require.False(t, seen[password])
		seen[password] = true
	}
}

func TestThePublicKeyBelongsToThePrivateOne(t *testing.T) {
	dir := made(t)
	decode := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join(dir, name)) // #nosec G304 -- a folder of this test
		require.NoError(t, err)
		block, _ := pem.Decode(content)
		require.NotNil(t, block)
		return block.Bytes
	}
	private, err := x509.ParsePKCS8PrivateKey(decode(secret.PrincipalKey))
	require.NoError(t, err)
	public, err := x509.ParsePKIXPublicKey(decode(secret.PrincipalPublicKey))
	require.NoError(t, err)
	require.True(t, private.(ed25519.PrivateKey).Public().(ed25519.PublicKey).Equal(public))
}

func TestStatementsOfTheTemplateHoldThePasswordsAndNothingUnfilled(t *testing.T) {
	dir := made(t)
	statements, err := secret.Statements("../../mysql/users.sql.template", dir)
	require.NoError(t, err)
	all := strings.Join(statements, "\n")
	require.NotContains(t, all, "{{")
	require.NotContains(t, all, "--")
	for _, name := range secret.Passwords {
		if strings.HasPrefix(name, "mysql-") && name != "mysql-root" {
			password, err := secret.Read(dir, name)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(all, "'"+password+"'"), name)
		}
	}
}

func TestPublishedSecretsAreReadableInContainersAndBehindAPrivateFolder(t *testing.T) {
	dir := made(t)
	target := filepath.Join(t.TempDir(), "docker")
	require.NoError(t, secret.Publish(dir, target))
	published := contents(t, target)
	require.NotEmpty(t, published["/nats-passwords.conf"])
	delete(published, "/nats-passwords.conf")
	require.Equal(t, contents(t, dir), published)
	info, err := os.Stat(target)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	info, err = os.Stat(filepath.Join(target, "mysql-root"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o444), info.Mode().Perm())
}

func TestPublishingAgainKeepsFilesThatAreMountedAndRemovesKeysTakenBack(t *testing.T) {
	dir := made(t)
	target := filepath.Join(t.TempDir(), "docker")
	withdrawn := filepath.Join(dir, secret.TokenKeys, "old.pem")
	require.NoError(t, os.WriteFile(withdrawn, []byte("old"), 0o600)) // Publish does not look into keys
	require.NoError(t, secret.Publish(dir, target))
	keys, err := os.Stat(filepath.Join(target, secret.TokenKeys))
	require.NoError(t, err)
	root, err := os.Stat(filepath.Join(target, "mysql-root"))
	require.NoError(t, err)

	require.NoError(t, os.Remove(withdrawn))
	require.NoError(t, secret.Publish(dir, target))
	require.NoFileExists(t, filepath.Join(target, secret.TokenKeys, "old.pem"))
	for path, before := range map[string]os.FileInfo{secret.TokenKeys: keys, "mysql-root": root} {
		after, err := os.Stat(filepath.Join(target, path))
		require.NoError(t, err)
		require.True(t, os.SameFile(before, after), path)
	}
}
