package router

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

const (
	passedOn  = 299 // the status of the services here
	goodToken = "Token good"
	// clientAddress is where all requests come from, as a trusted proxy says.
	clientAddress = "203.0.113.5"
)

var member = authn.Principal{MemberID: 7, SessionID: 70}

// oneToken is the only one that is valid, from one address.
type oneToken struct{}

func (oneToken) Verify(_ context.Context, client netip.Addr, authorization []string) (authn.Principal, error) {
	if client.String() == clientAddress && len(authorization) == 1 && authorization[0] == goodToken {
		return member, nil
	}
	return authn.Principal{}, fault.New(fault.Unauthenticated, "refused", nil).WithHeader("WWW-Authenticate", "Token")
}

// service answers with its name and the principal it was asked by.
type service string

func (s service) Forward(c *fiber.Ctx, principal authn.Principal, _ func(context.Context) error) error {
	c.Set("Service", string(s))
	encoded, err := json.Marshal(principal)
	if err != nil {
		return err
	}
	return c.Status(passedOn).Send(encoded)
}

func newApp(t *testing.T) *fiber.App {
	t.Helper()
	table, err := NewTable(Routes)
	require.NoError(t, err)
	requests := New(table, oneToken{}, func(*fiber.Ctx, authn.Principal) error { return nil }, map[string]Forwarder{
		"accounts": service("accounts"), "orders": service("orders"),
	})
	var trusted forwarded.Proxies
	require.NoError(t, trusted.UnmarshalText([]byte("0.0.0.0"))) // from where requests in memory come
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute,
		First: []fiber.Handler{forwarded.Find(trusted)}, Decide: []fiber.Handler{requests.Decide},
	})
	app.Use(requests.Handle)
	return app
}

func ask(t *testing.T, app *fiber.App, method, path, token string) (*http.Response, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	request.Header.Set("X-Forwarded-For", clientAddress)
	if token != "" {
		request.Header.Set("Authorization", token)
	}
	response, err := app.Test(request, -1)
	require.NoError(t, err)
	defer response.Body.Close()
	var body map[string]any
	if method != http.MethodHead && response.StatusCode != http.StatusNoContent {
		require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	}
	return response, body
}

// answerTo says what the table wants: the status, and whether the service is asked in the member's name.
func answerTo(resource *Resource, method, token string) (status int, asMember bool) {
	access, allowed := resource.Access(method)
	switch {
	case allowed && access == Public:
		return passedOn, false
	case !allowed && resource.AnyPublic():
		return http.StatusMethodNotAllowed, false
	case token != goodToken:
		return http.StatusUnauthorized, false
	case !allowed:
		return http.StatusMethodNotAllowed, false
	default:
		return passedOn, true
	}
}

func TestEveryRequestIsAnsweredAsTheTableSays(t *testing.T) {
	t.Parallel()
	app, table := newApp(t), allRoutes(t)
	for _, row := range Routes {
		path := pathOf(row.Pattern)
		resource, _ := table.Find(path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"} {
			for _, token := range []string{"", "Token bad", goodToken} {
				want, asMember := answerTo(resource, method, token)
				response, body := ask(t, app, method, path, token)
				require.Equal(t, want, response.StatusCode, "%s %s %q", method, path, token)
				switch {
				case want == http.StatusMethodNotAllowed:
					require.Equal(t, resource.Allow(), response.Header.Get("Allow"))
					if method != http.MethodHead {
						require.Equal(t, `Method "`+method+`" not allowed.`, body["detail"])
					}
				case want == http.StatusUnauthorized:
					require.Equal(t, "Token", response.Header.Get("WWW-Authenticate"))
				case method != http.MethodHead:
					require.Equal(t, row.Service, response.Header.Get("Service"))
					id := map[bool]float64{true: 7, false: 0}[asMember]
					require.InDelta(t, id, body["MemberID"], 0, "%s %s", method, path)
					require.Equal(t, clientAddress, body["Address"], "the service learns it of members and of anonymous clients")
				}
			}
		}
		options, _ := ask(t, app, http.MethodOptions, path, "")
		require.Equal(t, http.StatusNoContent, options.StatusCode)
		require.Equal(t, resource.Allow(), options.Header.Get("Allow"))
	}
}

func TestUnknownPathIsNotFoundWhoeverAsksAndHowever(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for _, path := range []string{
		"/", "/unknown", "/accounts/users/", "/Orders/", "/orders/1/2", "/accounts/users/..%2f..", "/metrics", "/internal/revocations",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"} {
			for _, token := range []string{"", goodToken} {
				response, body := ask(t, app, method, path, token)
				require.Equal(t, http.StatusNotFound, response.StatusCode, "%s %s", method, path)
				if method != http.MethodHead {
					require.Equal(t, "Not found.", body["detail"])
				}
			}
		}
	}
}

// endedSession is a verifier that lets the first request in and no other.
type endedSession struct{ asked int }

func (e *endedSession) Verify(context.Context, netip.Addr, []string) (authn.Principal, error) {
	if e.asked++; e.asked > 1 {
		return authn.Principal{}, fault.New(fault.Unauthenticated, "ended", nil)
	}
	return member, nil
}

// asker asks whether the caller's token still counts.
type asker struct{ heard error }

func (a *asker) Forward(c *fiber.Ctx, _ authn.Principal, valid func(context.Context) error) error {
	a.heard = valid(c.UserContext())
	return c.SendStatus(passedOn)
}

func TestAServiceThatAnswersForLongHearsThatTheSessionEnded(t *testing.T) {
	t.Parallel()
	table, err := NewTable(Routes)
	require.NoError(t, err)
	orders := &asker{}
	requests := New(table, &endedSession{}, func(*fiber.Ctx, authn.Principal) error { return nil }, map[string]Forwarder{"orders": orders})
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute, Decide: []fiber.Handler{requests.Decide},
	})
	app.Use(requests.Handle)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders/export", nil)
	request.Header.Set("Authorization", goodToken)
	response, err := app.Test(request, -1)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, passedOn, response.StatusCode)
	require.True(t, fault.Is(orders.heard, fault.Unauthenticated))
}
