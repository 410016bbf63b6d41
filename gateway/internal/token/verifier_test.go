package token

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/servers/testservers"
)

var (
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	client = netip.MustParseAddr("203.0.113.5")
)

// revoked plays the memory of revocations.
type revoked struct {
	session, member, throughSession uint64
	unready                         error
}

func (r revoked) Current() error { return r.unready }

func (r revoked) Revoked(memberID, sessionID uint64) bool {
	return sessionID == r.session || memberID == r.member && sessionID <= r.throughSession
}

func newVerifier(t testing.TB, keys *Keys, revocations Revocations) *Verifier {
	t.Helper()
	return NewVerifier(Options{
		Issuer: "oms", Audience: "oms", Keys: keys, Revocations: revocations, Now: func() time.Time { return now },
	})
}

// publish serves keys as accounts does and returns a store that has fetched them.
func publish(t testing.TB, handler http.HandlerFunc) *Keys {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	keys, err := NewKeys(server.URL, server.Client(), slog.New(slog.DiscardHandler), func() time.Time { return now })
	require.NoError(t, err)
	require.NoError(t, keys.fetch(t.Context()))
	testservers.Run(t, keys.Run)
	return keys
}

func publishIssuer(t testing.TB, issuer *testkit.Issuer) *Keys {
	t.Helper()
	return publish(t, func(w http.ResponseWriter, _ *http.Request) { testkit.WriteKeys(w, issuer) })
}

func TestGenuineTokenTellsWhoAsks(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{})
	for name, test := range map[string]struct {
		change jwt.MapClaims
		admin  bool
	}{
		"member":                           {nil, false},
		"admin":                            {jwt.MapClaims{"adm": true}, true},
		"one of several audiences":         {jwt.MapClaims{"aud": []string{"x", "oms"}}, false},
		"clock of accounts slightly ahead": {jwt.MapClaims{"iat": now.Add(3 * time.Second).Unix()}, false},
		"expires in a second":              {jwt.MapClaims{"exp": now.Add(time.Second).Unix()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims := testkit.Claims(7, 70, now)
			maps.Copy(claims, test.change)
			principal, err := verifier.Verify(t.Context(), client, []string{"Token " + issuer.Sign(t, claims, nil)})
			require.NoError(t, err)
			require.Equal(t, authn.Principal{MemberID: 7, SessionID: 70, Admin: test.admin}, principal)
		})
	}
}

func TestTokenWithWrongClaimOrHeaderIsInvalid(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{session: 71, member: 8, throughSession: 80})
	for name, test := range map[string]struct {
		claims jwt.MapClaims
		header map[string]any
	}{
		"typ of another kind of token":     {nil, map[string]any{"typ": "JWT"}},
		"no typ":                           {nil, map[string]any{"typ": nil}},
		"typ is not text":                  {nil, map[string]any{"typ": 1}},
		"kid is not text":                  {nil, map[string]any{"kid": 1}},
		"unknown kid":                      {nil, map[string]any{"kid": "unknown"}},
		"other issuer":                     {jwt.MapClaims{"iss": "oms-gateway"}, nil},
		"no issuer":                        {jwt.MapClaims{"iss": nil}, nil},
		"other audience":                   {jwt.MapClaims{"aud": "accounts"}, nil},
		"no audience":                      {jwt.MapClaims{"aud": nil}, nil},
		"expired":                          {jwt.MapClaims{"exp": now.Unix()}, nil},
		"no expiry":                        {jwt.MapClaims{"exp": nil}, nil},
		"issued far in the future":         {jwt.MapClaims{"iat": now.Add(time.Minute).Unix()}, nil},
		"no subject":                       {jwt.MapClaims{"sub": ""}, nil},
		"subject zero":                     {jwt.MapClaims{"sub": "0"}, nil},
		"subject is not a number":          {jwt.MapClaims{"sub": "1 or 1=1"}, nil},
		"no session":                       {jwt.MapClaims{"sid": ""}, nil},
		"session beyond the ids of rows":   {jwt.MapClaims{"sid": "9223372036854775808"}, nil},
		"session revoked":                  {jwt.MapClaims{"sid": "71"}, nil},
		"all sessions of the member ended": {jwt.MapClaims{"sub": "8", "sid": "80"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims := testkit.Claims(7, 70, now)
			maps.Copy(claims, test.claims)
			maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
			requireInvalid(t, verifier, issuer.Sign(t, claims, test.header))
		})
	}
}

func TestSessionAfterTheRevokedOnesIsValid(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{member: 8, throughSession: 80})
	signed := issuer.Sign(t, testkit.Claims(8, 81, now), nil)
	_, err := verifier.Verify(t.Context(), client, []string{"Token " + signed})
	require.NoError(t, err)
}

func TestForgedTokenIsInvalid(t *testing.T) {
	t.Parallel()
	issuer, stranger := testkit.NewIssuer(t), testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{})
	stranger.KeyID = issuer.KeyID
	published := base64.RawURLEncoding.EncodeToString(issuer.Public())
	genuine := issuer.Sign(t, testkit.Claims(7, 70, now), nil)
	parts := strings.Split(genuine, ".")
	other := strings.Split(issuer.Sign(t, testkit.Claims(1, 1, now), nil), ".")
	for name, signed := range map[string]string{
		"no JWT":                                "deadbeef",
		"two parts":                             parts[0] + "." + parts[1],
		"no signature":                          parts[0] + "." + parts[1] + ".",
		"claims of another token":               parts[0] + "." + other[1] + "." + parts[2],
		"signed by a stranger":                  stranger.Sign(t, testkit.Claims(7, 70, now), nil),
		"alg none":                              resign(t, issuer, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"HS256 with the public key":             resign(t, issuer, jwt.SigningMethodHS256, []byte(issuer.Public())),
		"HS256 with the public key, as in JWKS": resign(t, issuer, jwt.SigningMethodHS256, []byte(published)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireInvalid(t, verifier, signed)
		})
	}
}

func TestATokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{})
	signed := issuer.Sign(t, testkit.Claims(7, 70, now), nil)
	_, err := verifier.Verify(t.Context(), client, []string{"Token " + signed})
	require.NoError(t, err)
	// The last of 86 characters holds two bits of the 64 bytes, and four that must be 0.
	for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if other := signed[:len(signed)-1] + string(last); other != signed {
			requireInvalid(t, verifier, other)
		}
	}
}

func resign(t *testing.T, issuer *testkit.Issuer, method jwt.SigningMethod, key any) string {
	t.Helper()
	unsigned := jwt.NewWithClaims(method, testkit.Claims(7, 70, now))
	unsigned.Header["typ"], unsigned.Header["kid"] = "at+jwt", issuer.KeyID
	signed, err := unsigned.SignedString(key)
	require.NoError(t, err)
	return signed
}

func requireInvalid(t *testing.T, verifier *Verifier, signed string) {
	t.Helper()
	principal, err := verifier.Verify(t.Context(), client, []string{"Token " + signed})
	require.True(t, fault.Is(err, fault.Unauthenticated), "%v", err)
	require.Equal(t, messageInvalid, fault.Of(err).Detail)
	require.Equal(t, "Token", fault.Of(err).Headers["WWW-Authenticate"])
	require.Equal(t, authn.Principal{}, principal)
}

func TestNobodyIsLetInBeforeRevocationsAreKnown(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	verifier := newVerifier(t, publishIssuer(t, issuer), revoked{unready: errors.New("not yet")})
	_, err := verifier.Verify(t.Context(), client, []string{"Token " + issuer.Sign(t, testkit.Claims(7, 70, now), nil)})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
}

func TestTokenWithKeyOfAnotherKindIsInvalid(t *testing.T) {
	t.Parallel()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	keys := publish(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"keys":[
			{"kty":"oct","kid":"secret","k":"` + base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef")) + `"},
			{"kty":"OKP","crv":"Ed25519","kid":"good","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}]}`))
	})
	verifier := newVerifier(t, keys, revoked{})
	issuer := &testkit.Issuer{KeyID: "secret"}
	requireInvalid(t, verifier, resign(t, issuer, jwt.SigningMethodHS256, []byte("0123456789abcdef")))
}
