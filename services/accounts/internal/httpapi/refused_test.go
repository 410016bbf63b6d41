package httpapi_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
)

// guarded are all routes but the public keys, with an id where they want one.
func (a *api) guarded() (routes []struct{ method, path string }) {
	for _, route := range a.app.GetRoutes(true) {
		if route.Method != http.MethodHead && route.Path != "/.well-known/jwks.json" {
			routes = append(routes, struct{ method, path string }{route.Method, strings.Replace(route.Path, ":id", "1", 1)})
		}
	}
	return routes
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
		for _, route := range a.guarded() {
			requireUnauthenticated(t, a.send(t, signed, route.method, route.path, "{}"), name+": "+route.method+" "+route.path)
		}
	}
	open := 0
	for _, route := range a.guarded() {
		if public[route.method+" "+route.path] {
			open++
			continue
		}
		requireUnauthenticated(t, a.ask(t, authn.Principal{}, route.method, route.path, "{}"), "anonymous: "+route.method+" "+route.path)
	}
	require.Len(t, public, open, "a public route is missing")
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

func TestWhoMayNotDoWhatItAsksForIsWrittenDown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	of, who := a.signUp(t, "sungi@x.test"), a.signUp(t, "other@x.test")
	for _, id := range []uint64{of.SessionID, of.SessionID, 77777} {
		require.Equal(t, http.StatusNotFound, a.ask(t, who, http.MethodDelete, fmt.Sprintf("/auth/sessions/%d", id), "").status, id)
	}
	require.Equal(t, http.StatusNoContent, a.ask(t, of, http.MethodDelete, fmt.Sprintf("/auth/sessions/%d", of.SessionID), "").status)
	for _, caller := range []authn.Principal{of, who} { // a session that has ended hides whose it was no more than a live one
		require.Equal(t, http.StatusNotFound, a.ask(t, caller, http.MethodDelete, fmt.Sprintf("/auth/sessions/%d", of.SessionID), "").status)
	}
	for _, request := range [][2]string{
		{http.MethodDelete, userPath(of.MemberID)}, {http.MethodPatch, userPath(of.MemberID)}, {http.MethodGet, "/accounts/export"},
		{http.MethodGet, "/audit/events"}, {http.MethodGet, fmt.Sprintf("/auth/sessions?member=%d", of.MemberID)},
	} {
		require.Equal(t, http.StatusForbidden, a.ask(t, who, request[0], request[1], "").status, request)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	before := len(a.store.Events())
	require.NoError(t, a.service.WriteSeries(ended))
	var got []string
	for _, event := range a.store.Events()[before:] {
		require.Equal(t, []any{audit.AccessDenied, audit.Failure, who.MemberID}, []any{event.Action, event.Outcome, event.Actor})
		got = append(got, fmt.Sprintf("%s %d %d×", event.Detail, event.Subject, event.Count))
	}
	require.ElementsMatch(t, []string{
		fmt.Sprintf("DELETE /accounts/users/:id %d 1×", of.MemberID), fmt.Sprintf("PATCH /accounts/users/:id %d 1×", of.MemberID),
		"GET /accounts/export 0 1×", "GET /audit/events 0 1×", "GET /auth/sessions 0 1×",
		fmt.Sprintf("DELETE /auth/sessions/:id %d 3×", of.MemberID),
	}, got)
}

func TestMembersThatAreHiddenOrNotThereAreAnsweredAlikeAndOnlyThoseThatAreThereAreWrittenDown(t *testing.T) {
	t.Parallel()
	a := newAPIWith(t, account.DirectoryAdmin)
	of, who := a.signUp(t, "sungi@x.test"), a.signUp(t, "other@x.test")
	const nobody = 1<<63 - 1
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPatch, http.MethodPut} {
		hidden, missing := a.ask(t, who, method, userPath(of.MemberID), ""), a.ask(t, who, method, userPath(nobody), "")
		require.Equal(t, http.StatusNotFound, hidden.status, method)
		require.Equal(t, hidden.problem(t), missing.problem(t), method)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	before := len(a.store.Events())
	require.NoError(t, a.service.WriteSeries(ended))
	written := a.store.Events()[before:]
	require.Len(t, written, 4)
	for _, event := range written {
		require.Equal(t, []any{audit.AccessDenied, of.MemberID, 1}, []any{event.Action, event.Subject, event.Count})
	}
}
