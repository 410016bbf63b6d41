// Package httpapi is the HTTP surface of the accounts service: routes, JSON, and the checks of single fields. Who may do
// what is decided in the domain.
package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/httpx"
)

// API handles the routes.
type API struct {
	service *account.Service
	jwks    func() []byte
	zone    *time.Location
	exports httpx.Streams
}

// exports is how many exports run at the same time.
const exports = 2

// New returns an API over the domain. jwks gives what the key endpoint answers, which changes when keys are rotated; times
// are shown in zone.
func New(service *account.Service, jwks func() []byte, zone *time.Location, metrics prometheus.Registerer) *API {
	return &API{service: service, jwks: jwks, zone: zone, exports: httpx.NewStreams(exports, metrics)}
}

// Register adds the routes to an app. Every route but the public keys needs a principal that the gateway signed. consistent
// makes callers see what they were told (consistencyhttp.Handler).
func (a *API) Register(app *fiber.App, verifier *assertion.Verifier, consistent fiber.Handler) {
	app.Get("/.well-known/jwks.json", a.keys)

	principal, member := httpx.RequirePrincipal(verifier), httpx.RequireMemberTelling(a.service.NoteDenied)
	app.Post("/auth/login", principal, consistent, a.logIn)
	app.Post("/auth/refresh", principal, consistent, a.refresh)
	app.Post("/auth/logout", principal, consistent, member, a.logOut)
	app.Post("/auth/logoutall", principal, consistent, member, a.logOutAll)
	app.Get("/auth/sessions", principal, consistent, member, a.sessions)
	app.Delete("/auth/sessions/:id", principal, consistent, member, a.endSession)
	app.Get("/audit/events", principal, consistent, member, a.events)
	app.Get(accounts.PathRevocations, httpx.LogFailuresOnly, principal, a.revocations)

	app.Post("/accounts/users", principal, consistent, a.signUp)
	app.Get("/accounts/export", principal, consistent, member, a.export)
	app.Get("/accounts/users", principal, consistent, member, a.list)
	app.Get("/accounts/users/:id", principal, consistent, member, a.get)
	app.Put("/accounts/users/:id", principal, consistent, member, a.replace)
	app.Patch("/accounts/users/:id", principal, consistent, member, a.change)
	app.Delete("/accounts/users/:id", principal, consistent, member, a.delete)
}

// keysMaxAge lets verifiers keep the keys for a minute; they also ask when they meet an unknown key.
const keysMaxAge = "public, max-age=60"

func (a *API) keys(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, keysMaxAge)
	c.Set(fiber.HeaderContentType, "application/jwk-set+json")
	return c.Send(a.jwks())
}
