package token_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/token"
)

var (
	member  = account.Member{ID: 42, Email: "sungi@x.test", PasswordHash: "a hash"}
	session = account.Session{
		ID: 7, MemberID: 42,
		CreatedAt: time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC),
		ExpiresAt: time.Date(2026, 11, 23, 11, 2, 3, 456789000, time.UTC),
	}
)

func issue(t *testing.T, keys *token.Keyring, member account.Member) string {
	t.Helper()
	signed, err := token.NewIssuer(keys, "oms", "oms").Issue(member, session.ID, session.CreatedAt, session.ExpiresAt)
	require.NoError(t, err)
	return signed
}

// verify checks a token at a time as the gateway does, with nothing but the published keys.
func verify(t *testing.T, keys *token.Keyring, signed string, at time.Time) (*jwt.Token, error) {
	t.Helper()
	return jwt.NewParser(
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("oms"), jwt.WithAudience("oms"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return at }),
	).Parse(signed, func(parsed *jwt.Token) (any, error) {
		kid, _ := parsed.Header["kid"].(string)
		key, found := published(t, keys)[kid]
		require.True(t, found, "the key %q is not published", kid)
		return key, nil
	})
}

func TestAnIssuedTokenVerifiesAgainstThePublishedKeys(t *testing.T) {
	t.Parallel()
	keys := oneKey(t)
	parsed, err := verify(t, keys, issue(t, keys, member), session.CreatedAt)
	require.NoError(t, err)
	require.Equal(t, "at+jwt", parsed.Header["typ"])
	require.Equal(t, "EdDSA", parsed.Header["alg"])
	claims := parsed.Claims.(jwt.MapClaims)
	require.NotEmpty(t, claims["jti"])
	delete(claims, "jti")
	require.Equal(t, jwt.MapClaims{
		"iss": "oms", "aud": []any{"oms"}, "sub": "42", "sid": "7",
		"iat": float64(session.CreatedAt.Unix()), "exp": float64(session.ExpiresAt.Unix()),
	}, claims)
}

func TestATokenIsUniqueAndEndsWithItsSession(t *testing.T) {
	t.Parallel()
	keys := oneKey(t)
	signed := issue(t, keys, member)
	require.NotEqual(t, signed, issue(t, keys, member))
	_, err := verify(t, keys, signed, session.ExpiresAt.Add(-time.Second))
	require.NoError(t, err)
	_, err = verify(t, keys, signed, session.ExpiresAt)
	require.ErrorIs(t, err, jwt.ErrTokenExpired)
}

func TestOnlyAnAdminsTokenBearsTheRight(t *testing.T) {
	t.Parallel()
	keys := oneKey(t)
	for admin, claim := range map[bool]any{true: true, false: nil} {
		someone := member
		someone.Admin = admin
		parsed, err := verify(t, keys, issue(t, keys, someone), session.CreatedAt)
		require.NoError(t, err)
		require.Equal(t, claim, parsed.Claims.(jwt.MapClaims)["adm"])
	}
}

func TestTheNewestKeySignsAndOlderTokensStillVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	older := writeKey(t, dir, "20260101T000000.pem")
	before := load(t, dir)
	old := issue(t, before, member)

	newer := writeKey(t, dir, "20260201T000000.pem")
	after := load(t, dir)
	fresh := issue(t, after, member)

	for signed, key := range map[string]ed25519.PublicKey{old: older, fresh: newer} {
		parsed, err := verify(t, after, signed, session.CreatedAt)
		require.NoError(t, err)
		require.Equal(t, key, published(t, after)[parsed.Header["kid"].(string)])
	}
}
