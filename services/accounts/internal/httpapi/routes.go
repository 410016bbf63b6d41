// Package httpapi is the HTTP surface of the accounts service: routes, JSON, and the checks of single fields. Who may do
// what is decided in the domain.
package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
)

// API handles the routes.
type API struct {
	service *account.Service
	jwks    func() []byte
	zone    *time.Location
}

// New returns an API over the domain. jwks gives what the key endpoint answers, which changes when keys are rotated; times
// are shown in zone.
func New(service *account.Service, jwks func() []byte, zone *time.Location) *API {
	return &API{service: service, jwks: jwks, zone: zone}
}

// Register adds the routes to an app. Every route but the public keys needs a principal that the gateway signed.
func (a *API) Register(app *fiber.App, verifier *authn.Verifier) {
	app.Get("/.well-known/jwks.json", a.keys)

	principal, member := authn.RequirePrincipal(verifier), authn.RequireMember
	app.Post("/auth/login", principal, a.logIn)
	app.Post("/auth/refresh", principal, a.refresh)
	app.Post("/auth/logout", principal, member, a.logOut)
	app.Post("/auth/logoutall", principal, member, a.logOutAll)
	app.Get("/auth/sessions", principal, member, a.sessions)
	app.Delete("/auth/sessions/:id", principal, member, a.endSession)
	app.Get("/audit/events", principal, member, a.events)
	app.Get(accounts.PathRevocations, principal, a.revocations)

	app.Post("/accounts/users", principal, a.signUp)
	app.Get("/accounts/users", principal, member, a.list)
	app.Get("/accounts/users/:id", principal, member, a.get)
	app.Put("/accounts/users/:id", principal, member, a.replace)
	app.Patch("/accounts/users/:id", principal, member, a.change)
	app.Delete("/accounts/users/:id", principal, member, a.delete)
}

// keysMaxAge lets verifiers keep the keys for a minute; they also ask when they meet an unknown key.
const keysMaxAge = "public, max-age=60"

func (a *API) keys(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, keysMaxAge)
	c.Set(fiber.HeaderContentType, "application/jwk-set+json")
	return c.Send(a.jwks())
}
