package assertion_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fault"
)

// send asks a service with these values of the header, in their order, and returns its answer: an id or a fault's code.
func send(t *testing.T, values ...string) string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/public", nil)
	for _, value := range values {
		request.Header.Add(assertion.Header, value)
	}
	response, err := newApp().Test(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return string(body)
}

// forgeWith signs the claims of a member, or an admin, with more in the token's own header.
func forgeWith(t *testing.T, key ed25519.PrivateKey, header map[string]any) string {
	t.Helper()
	forged := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": "oms-gateway", "aud": "orders", "sub": "7", "sid": "9", "adm": true, "exp": moment.Add(assertion.Lifetime).Unix(),
	})
	for name, value := range header {
		forged.Header[name] = value
	}
	signed, err := forged.SignedString(key)
	require.NoError(t, err)
	return signed
}

// embedded are the members of a token's header by which it could bring its own key, or say where to fetch one.
func embedded(t *testing.T, key ed25519.PrivateKey) map[string]map[string]any {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(publicKey(key))
	require.NoError(t, err)
	certificate := base64.StdEncoding.EncodeToString(der)
	own := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(publicKey(key))}
	fetched := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		t.Errorf("%s was fetched", request.URL)
	}))
	t.Cleanup(fetched.Close)
	return map[string]map[string]any{
		"jwk":      {"jwk": own},
		"jku":      {"jku": fetched.URL + "/jwks.json"},
		"x5c":      {"x5c": []string{certificate}},
		"x5u":      {"x5u": fetched.URL + "/cert.pem"},
		"kid":      {"kid": "../../../../dev/null"},
		"kid, SQL": {"kid": "' UNION SELECT 'key"},
		"all":      {"jwk": own, "jku": fetched.URL, "x5c": []string{certificate}, "x5u": fetched.URL, "kid": "1"},
	}
}

func TestAServiceRefusesEveryPrincipalButAFreshOneOfTheGatewayForItself(t *testing.T) {
	t.Parallel()
	genuine := sign(t, gatewayKey, member, "orders")
	signedAt := func(when time.Time) string {
		signed, err := assertion.NewSigner(gatewayKey, at(when)).Sign(member, "orders")
		require.NoError(t, err)
		return signed
	}
	claim := func(name string, value any) string {
		return forge(t, jwt.SigningMethodEdDSA, gatewayKey, func(content jwt.MapClaims) { content[name] = value })
	}
	der, err := x509.MarshalPKIXPublicKey(publicKey(gatewayKey))
	require.NoError(t, err)
	hmac := func(method jwt.SigningMethod, secret []byte) string { return forge(t, method, secret, nil) }
	none := forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)
	for name, values := range map[string][]string{
		"missing":               {},
		"empty":                 {""},
		"forged":                {sign(t, otherKey, member, "orders")},
		"expired":               {signedAt(moment.Add(-assertion.Lifetime - time.Minute))},
		"expired a moment ago":  {signedAt(moment.Add(-assertion.Lifetime - 6*time.Second))},
		"not yet valid":         {claim("nbf", moment.Add(time.Minute).Unix())},
		"for another service":   {sign(t, gatewayKey, member, "accounts")},
		"for a list of others":  {claim("aud", []string{"accounts", "gateway"})},
		"audience in capitals":  {claim("aud", "ORDERS")},
		"alg none":              {none},
		"HS256, raw public key": {hmac(jwt.SigningMethodHS256, publicKey(gatewayKey))},
		"HS256, public key DER": {hmac(jwt.SigningMethodHS256, der)},
		"HS256, public key PEM": {hmac(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
		"HS512, raw public key": {hmac(jwt.SigningMethodHS512, publicKey(gatewayKey))},
		"genuine, twice":        {genuine, genuine},
		"genuine, then forged":  {genuine, sign(t, otherKey, member, "orders")},
		"forged, then genuine":  {sign(t, otherKey, member, "orders"), genuine},
		"empty, then genuine":   {"", genuine},
		"genuine, then empty":   {genuine, ""},
		"joined by a comma":     {genuine + ", " + genuine},
		"unsigned, joined":      {none + "," + genuine},
	} {
		require.Equal(t, string(fault.Unauthenticated), send(t, values...), name)
	}
	require.Equal(t, "7", send(t, genuine))
	require.Equal(t, "7", send(t, signedAt(moment.Add(-assertion.Lifetime))), "clocks may differ by seconds")
}

func TestAKeyThatATokenBringsAlongIsIgnored(t *testing.T) {
	t.Parallel()
	for name, header := range embedded(t, otherKey) {
		require.Equal(t, string(fault.Unauthenticated), send(t, forgeWith(t, otherKey, header)), "%s of a stranger", name)
		require.Equal(t, "7", send(t, forgeWith(t, gatewayKey, header)), "%s beside the gateway's signature", name)
	}
}

func TestTheAddressOfTheClientArrivesAsItWas(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "fe80::1%eth0"} {
		for _, principal := range []authn.Principal{{Address: address}, {MemberID: 7, SessionID: 9, Address: address}} {
			got, err := verifier(moment).Verify(sign(t, gatewayKey, principal, "orders"))
			require.NoError(t, err)
			require.Equal(t, principal, got)
		}
	}
}
