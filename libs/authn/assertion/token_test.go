package assertion_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fault"
)

var (
	gatewayKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("g", ed25519.SeedSize)))
	otherKey   = ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", ed25519.SeedSize)))
	moment     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	member     = authn.Principal{MemberID: 7, SessionID: 1<<64 - 1, Admin: true}
)

func at(when time.Time) func() time.Time { return func() time.Time { return when } }

func publicKey(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func sign(t testing.TB, key ed25519.PrivateKey, principal authn.Principal, audience string) string {
	t.Helper()
	signed, err := assertion.NewSigner(key, at(moment)).Sign(principal, audience)
	require.NoError(t, err)
	return signed
}

func verifier(now time.Time) *assertion.Verifier {
	return assertion.NewVerifier(publicKey(gatewayKey), "orders", at(now))
}

func TestASignedPrincipalArrivesAsItWas(t *testing.T) {
	t.Parallel()
	for _, principal := range []authn.Principal{{}, {MemberID: 1, SessionID: 2}, member, {MemberID: 1<<64 - 1, SessionID: 1}} {
		got, err := verifier(moment).Verify(sign(t, gatewayKey, principal, "orders"))
		require.NoError(t, err)
		require.Equal(t, principal, got)
		require.Equal(t, principal.MemberID == 0, got.Anonymous())
	}
}

func TestAnAnonymousPrincipalHasNoRights(t *testing.T) {
	t.Parallel()
	got, err := verifier(moment).Verify(sign(t, gatewayKey, authn.Principal{SessionID: 3, Admin: true}, "orders"))
	require.NoError(t, err)
	require.Zero(t, got)
}

func TestAPrincipalIsValidForItsLifetimeAndTheDifferenceOfClocks(t *testing.T) {
	t.Parallel()
	signed := sign(t, gatewayKey, member, "orders")
	const leeway = 5 * time.Second
	for shift, valid := range map[time.Duration]bool{
		0: true, -leeway: true, assertion.Lifetime: true, assertion.Lifetime + leeway - time.Second: true,
		assertion.Lifetime + leeway: false, time.Hour: false,
	} {
		_, err := verifier(moment.Add(shift)).Verify(signed)
		require.Equal(t, valid, err == nil, "%s: %v", shift, err)
	}
}

// forge signs arbitrary claims.
func forge(t *testing.T, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	t.Helper()
	content := jwt.MapClaims{
		"iss": "oms-gateway", "aud": "orders", "sub": "7", "sid": "9", "exp": moment.Add(assertion.Lifetime).Unix(),
	}
	if change != nil {
		change(content)
	}
	signed, err := jwt.NewWithClaims(method, content).SignedString(key)
	require.NoError(t, err)
	return signed
}

func TestWhatTheGatewayDidNotSignForThisServiceIsRefused(t *testing.T) {
	t.Parallel()
	set := func(name string, value any) func(jwt.MapClaims) {
		return func(content jwt.MapClaims) { content[name] = value }
	}
	remove := func(name string) func(jwt.MapClaims) {
		return func(content jwt.MapClaims) { delete(content, name) }
	}
	genuine := sign(t, gatewayKey, member, "orders")
	parts := strings.Split(genuine, ".")
	admin := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"oms-gateway","aud":"orders","sub":"1","sid":"1","adm":true,"exp":9999999999}`))
	for name, signed := range map[string]string{
		"nothing":             "",
		"garbage":             "garbage",
		"dots":                "..",
		"not base64":          "?.?.?",
		"other audience":      sign(t, gatewayKey, member, "accounts"),
		"no audience":         forge(t, jwt.SigningMethodEdDSA, gatewayKey, remove("aud")),
		"other key":           sign(t, otherKey, member, "orders"),
		"other issuer":        forge(t, jwt.SigningMethodEdDSA, gatewayKey, set("iss", "oms-accounts")),
		"no issuer":           forge(t, jwt.SigningMethodEdDSA, gatewayKey, remove("iss")),
		"no expiry":           forge(t, jwt.SigningMethodEdDSA, gatewayKey, remove("exp")),
		"not yet valid":       forge(t, jwt.SigningMethodEdDSA, gatewayKey, set("nbf", moment.Add(time.Minute).Unix())),
		"alg none":            forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"HS256 by public key": forge(t, jwt.SigningMethodHS256, []byte(publicKey(gatewayKey)), nil),
		"member not a number": forge(t, jwt.SigningMethodEdDSA, gatewayKey, set("sub", "seven")),
		"negative member":     forge(t, jwt.SigningMethodEdDSA, gatewayKey, set("sub", "-7")),
		"no session":          forge(t, jwt.SigningMethodEdDSA, gatewayKey, remove("sid")),
		"changed content":     parts[0] + "." + admin + "." + parts[2],
		"no signature":        parts[0] + "." + parts[1] + ".",
		"cut off":             genuine[:len(genuine)-3],
		"with a scheme":       "Bearer " + genuine,
		"twice":               genuine + "." + genuine,
	} {
		got, err := verifier(moment).Verify(signed)
		require.True(t, fault.Is(err, fault.Unauthenticated), "%s: %v", name, err)
		require.Zero(t, got, name)
		require.Equal(t, "Authentication credentials were not provided.", fault.Of(err).Detail, name)
		require.Equal(t, "Token", fault.Of(err).Headers["WWW-Authenticate"], name)
	}
	_, err := verifier(moment).Verify(forge(t, jwt.SigningMethodEdDSA, gatewayKey, nil))
	require.NoError(t, err, "the forged claims are fine but for what each case changes")
}
