package httpapi_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
)

// routes are all routes, with bodies that are in order.
var routes = []struct{ method, path, body string }{
	{http.MethodGet, "/orders", ""},
	{http.MethodGet, "/orders/", ""},
	{http.MethodGet, "/orders/export", ""},
	{http.MethodPost, "/orders/", `{"product_name": "p"}`},
	{http.MethodGet, "/orders/1", ""},
	{http.MethodPut, "/orders/1", `{"product_name": "p"}`},
	{http.MethodPatch, "/orders/1", `{"product_name": "p"}`},
	{http.MethodDelete, "/orders/1", ""},
	{http.MethodPost, "/orders/1/transitions", `{"to": "cancelled"}`},
	{http.MethodGet, "/orders/1/timeline", ""},
	{http.MethodDelete, "/orders/1/timeline/5/note", ""},
}

func TestEveryRouteIsRefusedWithoutAPrincipalOfAMemberThatTheGatewaySignedForThisService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sign := func(key ed25519.PrivateKey, principal authn.Principal, audience string, at time.Time) string {
		signed, err := assertion.NewSigner(key, func() time.Time { return at }).Sign(principal, audience)
		require.NoError(t, err)
		return signed
	}
	_, strange, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, principal := range map[string]string{
		"none":                 "",
		"garbage":              "garbage",
		"an anonymous one":     sign(w.key, authn.Principal{}, orders.Service, time.Now()),
		"for another service":  sign(w.key, boss, accounts.Service, time.Now()),
		"with another key":     sign(strange, boss, orders.Service, time.Now()),
		"from an hour ago":     sign(w.key, boss, orders.Service, time.Now().Add(-time.Hour)),
		"with a bad signature": sign(w.key, boss, orders.Service, time.Now()) + "A",
	} {
		for _, route := range routes {
			// What a client might try instead reaches nobody either.
			refused, err := w.try(t, route.method, route.path, route.body,
				assertion.Header, principal, "Authorization", "Token x", "X-Member-Id", "9")
			require.NoError(t, err)
			refused.problem(t, http.StatusUnauthorized)
			require.Equal(t, "Token", refused.header.Get("WWW-Authenticate"), "%s: %s %s", name, route.method, route.path)
		}
	}
	w.requireUntouched(t)
	require.Empty(t, w.Store.Queries)
}

func TestAnothersOrderAndAMissingOneAreToldApartByNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, route := range routes {
		missing := strings.Replace(route.path, "/1", "/77777", 1)
		if missing == route.path || strings.HasSuffix(route.path, "/note") { // the note is for admins only, whoever's the order is
			continue
		}
		for _, body := range []string{route.body, strings.Replace(route.body, `"p"`, `""`, 1), `{bad`} {
			hidden := w.send(t, bob, route.method, route.path, body)
			hidden.problem(t, http.StatusNotFound)
			require.Equal(t, w.send(t, bob, route.method, missing, body).text, hidden.text)
		}
	}
	require.Equal(t, http.StatusNotFound, w.send(t, bob, http.MethodHead, "/orders/1", "").status)
	w.requireUntouched(t)
}

func TestWhoAsksForOrdersThatAreNotItsOwnIsToldOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, route := range routes[4:] {
		w.send(t, bob, route.method, route.path, route.body)
	}
	w.send(t, bob, http.MethodGet, "/orders/77777", "") // is nobody's
	w.send(t, alice, http.MethodGet, "/orders/1", "")
	require.ElementsMatch(t, []string{
		"GET /orders/:id 1", "PUT /orders/:id 1", "PATCH /orders/:id 1", "DELETE /orders/:id 1", "POST /orders/:id/transitions 1",
		"GET /orders/:id/timeline 1", "DELETE /orders/:id/timeline/:step/note 0",
	}, w.refusalsTold(t))

	w = newWorld(t)
	w.send(t, bob, http.MethodGet, "/orders/export", "")
	w.send(t, bob, http.MethodPost, "/orders/", `{"customer": 1, "product_name": "p"}`)
	require.ElementsMatch(t, []string{"GET /orders/export 0", "POST /orders/ 0"}, w.refusalsTold(t))
}

// refusalsTold returns details and subjects of the audit events that accounts is told, of which all are refusals of bob.
func (w *world) refusalsTold(t *testing.T) (told []string) {
	t.Helper()
	ended, end := context.WithCancel(t.Context())
	end()
	require.NoError(t, w.TellSeries(ended))
	for _, event := range w.Store.Audited {
		require.Equal(t, []any{audit.AccessDenied, audit.Failure, bob.MemberID}, []any{event.Action, event.Outcome, event.Actor})
		told = append(told, fmt.Sprintf("%s %d", event.Detail, event.Subject))
	}
	return told
}

func TestWhatIsNoIDIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{
		"abc", "0", "-1", "1.5", "0x1", "%20", "1%20", "77777", "9223372036854775808", strings.Repeat("9", 1000), "1/2", "1%2F2", "1;drop",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			w.send(t, boss, method, "/orders/"+id, `{"product_name": "changed"}`).problem(t, http.StatusNotFound)
		}
	}
	w.send(t, boss, http.MethodPost, "/orders/x/transitions", `{"to": "cancelled"}`).problem(t, http.StatusNotFound)
	w.send(t, boss, http.MethodGet, "/orders/x/timeline", "").problem(t, http.StatusNotFound)
	w.requireUntouched(t)
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, allow string }{
		{http.MethodPut, "/orders/", "GET, HEAD, POST"},
		{http.MethodDelete, "/orders", "GET, HEAD, POST"},
		{http.MethodPost, "/orders/1", "GET, HEAD, PUT, PATCH, DELETE"},
		{"BREW", "/orders/", "GET, HEAD, POST"},
		{http.MethodGet, "/orders/1/lines", ""},
		{http.MethodGet, "/", ""},
		{http.MethodGet, "/metrics", ""},
	} {
		w := newWorld(t)
		refused := w.send(t, alice, c.method, c.path, `{"product_name": "changed"}`)
		if c.allow == "" {
			refused.problem(t, http.StatusNotFound)
		} else {
			refused.problem(t, http.StatusMethodNotAllowed)
			require.ElementsMatch(t, strings.Split(c.allow, ", "), strings.Split(refused.header.Get("Allow"), ", "), c.path)
		}
		w.requireUntouched(t)
	}
}
