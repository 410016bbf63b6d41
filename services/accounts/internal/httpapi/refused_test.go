package httpapi_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
)

var routes = []struct{ method, path, body string }{
	{http.MethodPost, "/auth/login", `{"email":"a@x.test","password":"` + secret + `"}`},
	{http.MethodPost, "/auth/logout", ""},
	{http.MethodPost, "/auth/logoutall", ""},
	{http.MethodPost, "/auth/refresh", `{"refresh_token":"x"}`},
	{http.MethodGet, "/auth/sessions", ""},
	{http.MethodDelete, "/auth/sessions/1", ""},
	{http.MethodGet, "/audit/events", ""},
	{http.MethodGet, accounts.PathRevocations, ""},
	{http.MethodPost, "/accounts/users", signUpBody("b@x.test")},
	{http.MethodGet, "/accounts/users", ""},
	{http.MethodGet, "/accounts/users/1", ""},
	{http.MethodPut, "/accounts/users/1", signUpBody("b@x.test")},
	{http.MethodPatch, "/accounts/users/1", `{"nickname":"hijack"}`},
	{http.MethodDelete, "/accounts/users/1", ""},
}

// public are the routes that an anonymous principal may use.
var public = map[string]bool{
	"POST /auth/login": true, "POST /accounts/users": true, "POST /auth/refresh": true, "GET " + accounts.PathRevocations: true,
}

func TestEveryRouteIsRefusedWithoutAPrincipalThatTheGatewaySignedForThisService(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	member := a.signUp(t, "a@x.test")
	sign := func(key ed25519.PrivateKey, principal authn.Principal, audience string, at time.Time) string {
		signed, err := assertion.NewSigner(key, func() time.Time { return at }).Sign(principal, audience)
		require.NoError(t, err)
		return signed
	}
	_, otherKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	valid := sign(a.key, member, "accounts", now)
	before := a.store.Writes()
	for name, signed := range map[string]string{
		"none":                  "",
		"garbage":               "garbage",
		"for another service":   sign(a.key, member, "orders", now),
		"of another signer":     sign(otherKey, member, "accounts", now),
		"expired":               sign(a.key, member, "accounts", now.Add(-time.Minute)),
		"with a cut signature":  valid[:len(valid)-10],
		"an admin's for orders": sign(a.key, authn.Principal{MemberID: 1, Admin: true}, "orders", now),
	} {
		for _, route := range routes {
			requireUnauthenticated(t, a.send(t, signed, route.method, route.path, route.body), name+": "+route.method+" "+route.path)
		}
	}
	for _, route := range routes {
		if !public[route.method+" "+route.path] {
			requireUnauthenticated(t, a.ask(t, authn.Principal{}, route.method, route.path, route.body), "anonymous: "+route.method+" "+route.path)
		}
	}
	require.Equal(t, before, a.store.Writes(), "something was written")
}

func requireUnauthenticated(t *testing.T, got answer, label string) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, got.status, label)
	require.Equal(t, "Token", got.header.Get("WWW-Authenticate"), label)
	require.Equal(t, "Authentication credentials were not provided.", got.problem(t)["detail"], label)
}

func TestIdentityHeadersOfTheClientMeanNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	token, _ := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("a@x.test")).object(t)["token"].(string)
	got := a.send(t, "", http.MethodGet, "/accounts/users", "",
		"Authorization", "Token "+token, "X-User-Id", "1", "Oms-Principal", token, "X-Forwarded-User", "1")
	requireUnauthenticated(t, got, "identity headers")
}
