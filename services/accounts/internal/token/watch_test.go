package token_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/token"
	"oms.internal/servers/testservers"
)

// watched is a keyring that follows its directory until the test ends.
func watched(t *testing.T, dir string) (*token.Keyring, *bytes.Buffer) {
	t.Helper()
	keys := load(t, dir)
	var logged bytes.Buffer
	testservers.Run(t, func(ctx context.Context) error { return keys.Watch(ctx, slog.New(slog.NewTextHandler(&logged, nil))) })
	return keys, &logged
}

// signedBy returns the id of the key that signs now.
func signedBy(t *testing.T, keys *token.Keyring) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(issue(t, keys, member), jwt.MapClaims{})
	require.NoError(t, err)
	return parsed.Header["kid"].(string)
}

func pass(by time.Duration) {
	<-time.After(by)
	synctest.Wait()
}

func TestANewKeyIsPublishedWithinASecondAndSignsOnlyAfterThat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKey(t, dir, "a.pem")
	synctest.Test(t, func(t *testing.T) {
		keys, _ := watched(t, dir)
		old := signedBy(t, keys)
		pass(100 * time.Millisecond)
		rotation, err := token.Rotate(dir, time.Now(), time.Hour)
		require.NoError(t, err)
		pass(time.Second)
		require.Contains(t, published(t, keys), rotation.ID)
		require.Contains(t, published(t, keys), old)
		require.Equal(t, old, signedBy(t, keys), "a gateway may not have the new key yet")
		pass(time.Second)
		require.Equal(t, old, signedBy(t, keys))
		pass(time.Second)
		require.Equal(t, rotation.ID, signedBy(t, keys))
		require.Contains(t, published(t, keys), old, "what it signed is still valid")
	})
}

func TestTheLastGoodKeysStayWhileAFileIsBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKey(t, dir, "a.pem")
	synctest.Test(t, func(t *testing.T) {
		keys, logged := watched(t, dir)
		before, old := published(t, keys), signedBy(t, keys)
		for _, spoil := range []func(){
			func() { write(t, dir, "b.pem", []byte("half a k")) },
			func() { write(t, dir, "a.pem", nil) },
			func() { require.NoError(t, os.Remove(filepath.Join(dir, "a.pem"))) },
			func() { require.NoError(t, os.Remove(filepath.Join(dir, "b.pem"))) },
		} {
			spoil()
			pass(5 * time.Second)
			require.Equal(t, before, published(t, keys))
			require.Equal(t, old, signedBy(t, keys))
		}
		require.Equal(t, 4, strings.Count(logged.String(), "level=ERROR"), "each once: %s", logged)
		writeKey(t, dir, "c.pem")
		pass(time.Second)
		require.NotContains(t, published(t, keys), old)
		require.NotEqual(t, old, signedBy(t, keys), "a key that is gone must not sign")
	})
}

func TestNoTokenFailsWhileKeysAreRotated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeKey(t, dir, "a.pem")
	synctest.Test(t, func(t *testing.T) {
		keys, _ := watched(t, dir)
		signers := map[string]bool{}
		for range 10 {
			_, err := token.Rotate(dir, time.Now(), time.Hour)
			require.NoError(t, err)
			for range 40 {
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						signed := issue(t, keys, member)
						_, err := verify(t, keys, signed, session.CreatedAt)
						require.NoError(t, err)
					})
				}
				all.Wait()
				signers[signedBy(t, keys)] = true
				pass(100 * time.Millisecond)
			}
		}
		require.Len(t, signers, 11)
	})
}
