package vault_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
)

func newVault(t *testing.T, secret string) *vault.Vault {
	t.Helper()
	made, err := vault.New(secret)
	require.NoError(t, err)
	return made
}

var (
	secret = strings.Repeat("s", vault.MinSecret)
	done   = account.SignedUp{SessionID: 31, Login: account.Login{
		View: account.View{Member: account.Member{
			ID: 7, Email: "Sungi@x.test", Name: "김선기", Nickname: "sungi", Phone: "01083574364", Gender: "M", Active: true, PasswordHash: "hash",
			CreatedAt: time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC), Version: 1,
		}},
		Grant: account.Grant{
			Token: "access", Expiry: time.Date(2026, 11, 23, 22, 0, 0, 123456000, time.UTC),
			RefreshToken: "refresh", RefreshExpiry: time.Date(2026, 12, 23, 12, 0, 0, 123456000, time.UTC),
		},
	}}
)

func TestAnAnswerIsOpenedAsItWasSealed(t *testing.T) {
	t.Parallel()
	v := newVault(t, secret)
	fingerprint := v.Fingerprint("a")
	sealed, err := v.Seal(fingerprint, done)
	require.NoError(t, err)
	opened, err := newVault(t, secret).Open(fingerprint, sealed)
	require.NoError(t, err)
	require.Equal(t, done, opened)
	for _, hidden := range []string{"Sungi", "김선기", "access", "refresh", "hash", "0108"} {
		require.False(t, bytes.Contains(sealed, []byte(hidden)), hidden)
	}
	again, err := v.Seal(fingerprint, done)
	require.NoError(t, err)
	require.NotEqual(t, sealed, again)
}

func TestNothingIsOpenedWithAnotherSecretForAnotherRequestOrChanged(t *testing.T) {
	t.Parallel()
	v := newVault(t, secret)
	fingerprint := v.Fingerprint("a")
	sealed, err := v.Seal(fingerprint, done)
	require.NoError(t, err)
	for name, open := range map[string]func() (account.SignedUp, error){
		"another secret":  func() (account.SignedUp, error) { return newVault(t, secret+"x").Open(fingerprint, sealed) },
		"another request": func() (account.SignedUp, error) { return v.Open(v.Fingerprint("b"), sealed) },
		"changed": func() (account.SignedUp, error) {
			return v.Open(fingerprint, append(bytes.Clone(sealed[:20]), sealed[21:]...))
		},
		"cut":     func() (account.SignedUp, error) { return v.Open(fingerprint, sealed[:3]) },
		"nothing": func() (account.SignedUp, error) { return v.Open(fingerprint, nil) },
	} {
		opened, err := open()
		require.Error(t, err, name)
		require.Empty(t, opened, name)
	}
}

func TestAFingerprintIsOfAllPartsAndTheSecret(t *testing.T) {
	t.Parallel()
	v := newVault(t, secret)
	require.Equal(t, v.Fingerprint("a", "b"), newVault(t, secret).Fingerprint("a", "b"))
	seen := map[account.Digest]bool{v.Fingerprint("a", "b"): true}
	for _, other := range []account.Digest{
		v.Fingerprint("ab"), v.Fingerprint("", "ab"), v.Fingerprint("a", "b", ""), v.Fingerprint("b", "a"), v.Fingerprint(),
		newVault(t, secret+"x").Fingerprint("a", "b"),
	} {
		require.False(t, seen[other])
		seen[other] = true
	}
}

func TestAShortSecretMakesNoVault(t *testing.T) {
	t.Parallel()
	for _, short := range []string{"", secret[1:]} {
		_, err := vault.New(short)
		require.ErrorContains(t, err, "32")
		require.NotContains(t, err.Error(), "sss")
	}
}
