package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leak finds what must never reach a client: SQL, Go, host names, paths.
var leak = regexp.MustCompile(`(?i)select .* from|insert into|mysql|mariadb|sqlcgen|goroutine|\.go:|panic|127\.0\.0\.1:|nats:|fasthttp|fiber|unmarshal|strconv|runtime error`)

type hostile struct {
	name        string
	method      string
	path        string
	contentType string
	body        string
	status      int
}

func hostileRequests(own member) []hostile {
	const json = "application/json"
	self := fmt.Sprintf("/accounts/users/%d", own.id)
	sign := func(name, contentType, body string, status int) hostile {
		return hostile{"sign-up: " + name, http.MethodPost, "/accounts/users", contentType, body, status}
	}
	order := func(name, body string) hostile {
		return hostile{"order: " + name, http.MethodPost, "/orders/", json, body, http.StatusBadRequest}
	}
	get := func(path string, status int) hostile {
		return hostile{"GET " + path[:min(len(path), 40)], http.MethodGet, path, "", "", status}
	}
	// One of each kind and each part that refuses it; the tests of the parts have the others.
	return []hostile{
		sign("half an object", json, `{"email":`, 400),
		sign("wrong types", json, `{"email":[],"name":{},"nickname":true,"phone":[1],"password":{},"gender":[]}`, 400),
		sign("bad UTF-8", json, "{\"email\":\"\xff\xfe@x.test\"}", 400),
		sign("deep nesting", json, strings.Repeat("[", 20_000), 400),
		sign("a huge body", json, `{"email":"`+strings.Repeat("a", 1<<20)+`"}`, 413),
		sign("no content type", "", `{"email":"a@b.test"}`, 415),
		sign("a nonsensical content type", ";;;", `{}`, 415),
		order("a NUL byte", `{"product_name":"a\u0000b"}`),
		order("a lone surrogate", `{"product_name":"a\ud800b"}`),
		order("a customer beyond 64 bits", `{"product_name":"p","customer":99999999999999999999999}`),
		order("an order number with a quote", `{"product_name":"p","order_number":"'; DROP --"}`),
		get("/accounts/users/abc", 404), get("/accounts/users/1%2f..%2f2", 404), get("/orders/99999999999999999999999", 404),
		get("/orders/%00", 400), get("/orders/%ff%fe", 400), get("/nowhere", 404), get("/readyz", 404), get("/metrics", 404),
		get("/orders/?paymented_at__lt=2026-02-30", 400), get("/orders/?cursor=e30", 404), get("/orders/?search=%ff", 400),
		get("/"+strings.Repeat("a", 5_000), 404),
		{"a path beyond the limit", http.MethodGet, "/" + strings.Repeat("a", 20_000), "", "", 400},
		{"an unknown method", "BREW", "/orders/", "", "", 405},
		{"PATCH with an array", http.MethodPatch, self, json, `[1]`, 400},
		{"PUT without anything", http.MethodPut, self, json, `{}`, 400},
	}
}

func TestHostileRequestsGetA4xxAndLeakNothing(t *testing.T) {
	t.Parallel()
	own := signUp(t)
	before := own.do(t, http.MethodGet, fmt.Sprintf("/accounts/users/%d", own.id), nil)
	for _, request := range hostileRequests(own) {
		t.Run(request.name, func(t *testing.T) {
			got, err := own.send(t.Context(), request.method, request.path, request.contentType, strings.NewReader(request.body))
			require.NoError(t, err)
			require.Equal(t, request.status, got.status, got.text)
			require.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
			require.InDelta(t, request.status, got.body["status"], 0)
			require.NotEmpty(t, got.body["detail"])
			require.NotRegexp(t, leak, got.text)
			require.NotEmpty(t, got.header.Get("X-Request-Id"))
		})
	}
	require.Equal(t, before.body, own.do(t, http.MethodGet, fmt.Sprintf("/accounts/users/%d", own.id), nil).body, "nothing changed")
	require.InDelta(t, 0, own.do(t, http.MethodGet, "/orders/", nil).body["count"], 0, "nothing was written")
}

func TestForgedIdentityHeadersGiveNothing(t *testing.T) {
	t.Parallel()
	own, other := signUp(t), signUp(t)
	revocation := fmt.Sprintf(`{"latest":0,"revocations":[{"sequence":1,"member_id":%d,"through_session":%d}]}`, other.id, uint64(1)<<62)
	for name, value := range map[string]string{
		"Oms-Principal": other.token, "X-Forwarded-User": fmt.Sprint(other.id), "X-User-Id": fmt.Sprint(other.id),
		"Oms-Revocations": revocation, "Oms-Told": fmt.Sprint(other.id),
	} {
		for token, status := range map[string]int{"": http.StatusUnauthorized, own.token: http.StatusOK} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gatewayURL()+fmt.Sprintf("/accounts/users/%d", other.id), nil)
			require.NoError(t, err)
			request.Header.Set(name, value)
			if token != "" {
				request.Header.Set("Authorization", "Token "+token)
			}
			got, err := own.read(request)
			require.NoError(t, err)
			require.Equal(t, status, got.status, "%s: %s", name, got.text)
			require.NotContains(t, got.text, other.email, "%s: whom one is not is seen masked", name)
		}
	}
	require.Equal(t, http.StatusOK, other.do(t, http.MethodGet, "/orders/", nil).status, "nobody was logged out")
}
