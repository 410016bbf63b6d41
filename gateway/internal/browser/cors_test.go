package browser

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "https://shop.test"

// askFrom asks a server with the policy from a page, before a request of the method asked for if there is one.
func askFrom(t *testing.T, policy Policy, method, origin, asked string) http.Header {
	t.Helper()
	text := method + " /orders/ HTTP/1.1\r\nHost: a\r\nOrigin: " + origin + "\r\n"
	if asked != "" {
		text += "Access-Control-Request-Method: " + asked + "\r\n"
	}
	_, header := ask(t, serve(t, policy, patience), text+"\r\n")
	return header
}

func TestNoPageMayUseTheAPIUnlessItIsAllowed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ allowed, origin string }{
		"closed":         {"", page},
		"another page":   {page, "https://evil.test"},
		"another scheme": {page, "http://shop.test"},
		"another port":   {page, "https://shop.test:8443"},
		"a longer name":  {page, "https://shop.test.evil.test"},
		"a subdomain":    {page, "https://a.shop.test"},
		"null":           {page, "null"},
		"no origin":      {page, ""},
	} {
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			header := askFrom(t, Policy{Origins: origins(t, test.allowed)}, method, test.origin, "POST")
			require.NotContains(t, header, "Access-Control-Allow-Origin", name)
			require.NotContains(t, header, "Access-Control-Allow-Methods", name)
			require.Equal(t, test.allowed != "", header.Get("Vary") == "Origin", name)
		}
	}
}

func TestAllowedPageReadsAnswersAndLearnsWhatItMaySend(t *testing.T) {
	t.Parallel()
	allowed := Policy{Origins: origins(t, "https://admin.test:8443, "+page)}
	header := askFrom(t, allowed, http.MethodGet, page, "")
	require.Equal(t, page, header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "Origin", header.Get("Vary"))
	for _, name := range []string{
		"Location", "Content-Disposition", "Degraded", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id",
		"ETag", "Consistency-Token", "Idempotency-Replayed",
	} {
		require.Contains(t, header.Get("Access-Control-Expose-Headers"), name)
	}
	require.NotContains(t, header, "Access-Control-Allow-Methods", "that is for a preflight")
	require.NotContains(t, header, "Access-Control-Allow-Credentials")

	preflight := askFrom(t, allowed, http.MethodOptions, page, "POST")
	require.Equal(t, "GET, HEAD, OPTIONS, POST", preflight.Get("Access-Control-Allow-Methods"))
	for _, name := range []string{
		"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Consistency-Token",
		"traceparent", "tracestate", "baggage", "X-Requested-With",
	} {
		require.Contains(t, preflight.Get("Access-Control-Allow-Headers"), name)
	}
	require.Equal(t, "600", preflight.Get("Access-Control-Max-Age"))
}

func TestAsteriskAllowsEveryPageWithoutCredentials(t *testing.T) {
	t.Parallel()
	header := askFrom(t, Policy{Origins: origins(t, "*")}, http.MethodGet, "https://any.test", "")
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	require.NotContains(t, header, "Access-Control-Allow-Credentials")
}

func TestWrongOriginsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"shop.test", "ftp://shop.test", "https://", "https://shop.test/", "https://shop.test/a", "https://SHOP.test", "null",
		"https://*.shop.test", "https://shop.test,", "*,https://shop.test", "https://u@shop.test", "https://shop.test?a", "https://a b",
	} {
		var origins Origins
		require.Error(t, origins.UnmarshalText([]byte(text)), text)
	}
}

func TestTheOperatorSaysWhichHeadersPagesMaySend(t *testing.T) {
	t.Parallel()
	policy := Policy{Origins: origins(t, page)}
	require.NoError(t, policy.RequestHeaders.UnmarshalText([]byte("Authorization,X-Trace, sentry-trace")))
	header := askFrom(t, policy, http.MethodOptions, page, "POST")
	require.Equal(t, "Authorization, X-Trace, sentry-trace", header.Get("Access-Control-Allow-Headers"))
}

func TestWrongHeaderNamesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		",", "Authorization,", "X Y", "X:Y", "X-Ä", "*", "Authorization, *", "X\r\nY", `"X"`, "X-A, x-a", "X;Y", "X/Y",
	} {
		var names HeaderNames
		require.Error(t, names.UnmarshalText([]byte(text)), text)
	}
}
