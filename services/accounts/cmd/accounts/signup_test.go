package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

func TestASignUpAnswersWithTheMemberItsPlaceAndAToken(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	got := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("Sungi@x.test"))
	require.Equal(t, http.StatusCreated, got.status)
	require.Equal(t, mediaType, got.header.Get("Content-Type"))
	caller := principal(t, got)
	require.Equal(t, userPath(caller.MemberID), got.header.Get("Location"))
	require.False(t, caller.Admin)
	require.Empty(t, got.header.Get("Degraded"), "a new member has no order, whatever the orders service says")
	body := got.object(t)
	require.Equal(t, map[string]any{
		"id": float64(caller.MemberID), "email": "Sungi@x.test", "name": "김선기", "nickname": "sungi", "phone": "01083574364",
		"gender": nil, "last_order": nil,
	}, body["user"])
	require.Len(t, body, 5)
	require.NotEmpty(t, body["token"])
	require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, body["refresh_token"])
	requireTime(t, time.Now().Add(10*time.Hour), body["expiry"])
	requireTime(t, time.Now().Add(720*time.Hour), body["refresh_expiry"])
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM members WHERE id = ? AND password_hash LIKE '$argon2id$%'", caller.MemberID))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM sessions WHERE id = ? AND member_id = ?", caller.SessionID, caller.MemberID))
	require.Equal(t, 1, p.number(t, "SELECT COUNT(*) FROM refresh_tokens WHERE session_id = ?", caller.SessionID))
}

// requireTime checks a time of an answer: ISO 8601 with microseconds and the offset of the service's zone.
func requireTime(t *testing.T, want time.Time, got any) {
	t.Helper()
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+09:00$`, got)
	at, err := time.Parse(time.RFC3339Nano, got.(string))
	require.NoError(t, err)
	require.WithinDuration(t, want, at, time.Minute)
}

func TestTokensVerifyAgainstThePublishedKeysWhichNeedNoPrincipal(t *testing.T) {
	t.Parallel()
	p := startProcess(t)
	published := p.send(t, "", http.MethodGet, "/.well-known/jwks.json", "", "")
	require.Equal(t, http.StatusOK, published.status)
	require.Equal(t, "application/jwk-set+json", published.header.Get("Content-Type"))
	require.Equal(t, "public, max-age=60", published.header.Get("Cache-Control"))
	var set struct {
		Keys []struct{ Kid, X string }
	}
	require.NoError(t, json.Unmarshal([]byte(published.body), &set))
	require.Len(t, set.Keys, 1)
	key, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	require.NoError(t, err)

	token := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("a@x.test")).object(t)["token"].(string)
	parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return ed25519.PublicKey(key), nil },
		jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("oms"), jwt.WithAudience("oms"), jwt.WithExpirationRequired())
	require.NoError(t, err)
	require.Equal(t, set.Keys[0].Kid, parsed.Header["kid"])
}
