package main

import (
	"crypto/ed25519"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
)

func TestNothingIsServedWithoutAPrincipalOfAMemberForThisService(t *testing.T) {
	t.Parallel()
	p := start(t)
	path := p.as(t, alice).order(t, "SECRET000001", "p")
	sign := func(signer *assertion.Signer, principal authn.Principal, audience string) string {
		signed, err := signer.Sign(principal, audience)
		require.NoError(t, err)
		return signed
	}
	_, strange, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	admin := authn.Principal{MemberID: boss, SessionID: 1, Admin: true}
	at := func(moment time.Time) *assertion.Signer {
		return assertion.NewSigner(p.Gateway, func() time.Time { return moment })
	}
	principals := map[string]string{
		"none":                 "",
		"garbage":              "garbage",
		"an anonymous one":     sign(p.signer, authn.Principal{}, orders.Service),
		"for another service":  sign(p.signer, admin, accounts.Service),
		"with another key":     sign(assertion.NewSigner(strange, time.Now), admin, orders.Service),
		"from an hour ago":     sign(at(time.Now().Add(-time.Hour)), admin, orders.Service),
		"with a bad signature": sign(p.signer, admin, orders.Service) + "A",
	}
	requests := []message{
		{method: http.MethodGet, path: "/orders"}, {method: http.MethodGet, path: "/orders/"},
		{method: http.MethodPost, path: "/orders/", contentType: "application/json", body: `{"product_name": "p"}`},
		{method: http.MethodGet, path: path}, {method: http.MethodDelete, path: path},
		{method: http.MethodPut, path: path, contentType: "application/json", body: `{"product_name": "changed"}`},
		{method: http.MethodPatch, path: path, contentType: "application/json", body: `{"product_name": "changed"}`},
		{method: http.MethodPost, path: path + "/transitions", contentType: "application/json", body: `{"to": "cancelled"}`},
		{method: http.MethodGet, path: path + "/timeline"},
	}
	before := p.as(t, alice).get(t, path).body
	for name, principal := range principals {
		t.Run(name, func(t *testing.T) {
			for _, sent := range requests {
				// What a client might try reaches nobody either.
				sent.header = map[string]string{"Authorization": "Token x", "X-Member-Id": "9"}
				refused := caller{process: p, principal: principal}.send(t, sent)
				refused.requireProblem(t, http.StatusUnauthorized)
				require.Equal(t, "Token", refused.header.Get("WWW-Authenticate"))
			}
		})
	}
	require.Equal(t, 1, p.orders(t))
	require.Equal(t, before, p.as(t, alice).get(t, path).body)
}
