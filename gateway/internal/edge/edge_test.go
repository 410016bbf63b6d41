package edge

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/routes"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

const forwarded = 299 // the status of the services here

var member = authn.Principal{MemberID: 7, SessionID: 70}

// guard knows one token.
type guard struct{}

func (guard) Verify(_ context.Context, authorization []string) (authn.Principal, error) {
	if len(authorization) == 1 && authorization[0] == "Token good" {
		return member, nil
	}
	return authn.Principal{}, fault.New(fault.Unauthenticated, "refused", nil).WithHeader("WWW-Authenticate", "Token")
}

// service answers with its name and the principal it was asked by.
type service string

func (s service) Forward(c *fiber.Ctx, principal authn.Principal) error {
	c.Set("Service", string(s))
	encoded, err := json.Marshal(principal)
	if err != nil {
		return err
	}
	return c.Status(forwarded).Send(encoded)
}

func newApp(t *testing.T) *fiber.App {
	t.Helper()
	table, err := routes.NewTable(routes.All)
	require.NoError(t, err)
	requests := New(table, guard{}, func(*fiber.Ctx, authn.Principal) error { return nil }, map[string]Forwarder{
		"accounts": service("accounts"), "orders": service("orders"),
	})
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute,
		Decide: []fiber.Handler{requests.Decide},
	})
	app.Use(requests.Handle)
	return app
}

func ask(t *testing.T, app *fiber.App, method, path, token string) (*http.Response, map[string]any) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
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

func TestEveryRequestIsAnsweredAsTheTableSays(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"}
	type access map[string]bool // method -> public
	list, one, post := access{"GET": false, "HEAD": false, "POST": false},
		access{"GET": false, "HEAD": false, "PUT": false, "PATCH": false, "DELETE": false}, access{"POST": false}
	for path, test := range map[string]struct {
		service string
		access  access
		public  bool
		allow   string
	}{
		"/accounts/users": {
			"accounts", access{"GET": false, "HEAD": false, "POST": true}, true, "GET, HEAD, OPTIONS, POST",
		},
		"/accounts/users/1":      {"accounts", one, false, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
		"/auth/login":            {"accounts", access{"POST": true}, true, "OPTIONS, POST"},
		"/auth/logout":           {"accounts", post, false, "OPTIONS, POST"},
		"/auth/logoutall":        {"accounts", post, false, "OPTIONS, POST"},
		"/auth/refresh":          {"accounts", access{"POST": true}, true, "OPTIONS, POST"},
		"/auth/sessions":         {"accounts", access{"GET": false, "HEAD": false}, false, "GET, HEAD, OPTIONS"},
		"/auth/sessions/1":       {"accounts", access{"DELETE": false}, false, "DELETE, OPTIONS"},
		"/audit/events":          {"accounts", access{"GET": false, "HEAD": false}, false, "GET, HEAD, OPTIONS"},
		"/.well-known/jwks.json": {"accounts", access{"GET": true, "HEAD": true}, true, "GET, HEAD, OPTIONS"},
		"/orders":                {"orders", list, false, "GET, HEAD, OPTIONS, POST"},
		"/orders/":               {"orders", list, false, "GET, HEAD, OPTIONS, POST"},
		"/orders/1":              {"orders", one, false, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
	} {
		for _, method := range methods {
			for _, token := range []string{"", "Token bad", "Token good"} {
				public, allowed := test.access[method]
				want := forwarded
				switch {
				case !allowed && (test.public || token == "Token good"):
					want = http.StatusMethodNotAllowed
				case !public && token != "Token good":
					want = http.StatusUnauthorized
				}
				response, body := ask(t, app, method, path, token)
				require.Equal(t, want, response.StatusCode, "%s %s %q", method, path, token)
				switch {
				case want == http.StatusMethodNotAllowed:
					require.Equal(t, test.allow, response.Header.Get("Allow"))
					if method != http.MethodHead {
						require.Equal(t, `Method "`+method+`" not allowed.`, body["detail"])
					}
				case want == http.StatusUnauthorized:
					require.Equal(t, "Token", response.Header.Get("WWW-Authenticate"))
				case method != http.MethodHead:
					require.Equal(t, test.service, response.Header.Get("Service"))
					id := map[bool]float64{true: 0, false: 7}[public]
					require.InDelta(t, id, body["MemberID"], 0, "%s %s", method, path)
				}
			}
		}
		options, _ := ask(t, app, http.MethodOptions, path, "")
		require.Equal(t, http.StatusNoContent, options.StatusCode)
		require.Equal(t, test.allow, options.Header.Get("Allow"))
	}
}

func TestUnknownPathIsNotFoundWhoeverAsksAndHowever(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for _, path := range []string{
		"/", "/unknown", "/accounts/users/", "/Orders/", "/orders/1/2", "/accounts/users/..%2f..", "/metrics", "/internal/revocations",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"} {
			for _, token := range []string{"", "Token good"} {
				response, body := ask(t, app, method, path, token)
				require.Equal(t, http.StatusNotFound, response.StatusCode, "%s %s", method, path)
				if method != http.MethodHead {
					require.Equal(t, "Not found.", body["detail"])
				}
			}
		}
	}
}
