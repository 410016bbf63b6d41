// Package httpapi is the HTTP surface of the orders service: routes, JSON, and the checks of single fields. Who may do
// what is decided in the domain.
package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/httpx"
	"oms.internal/orders/internal/order"
)

// API handles the routes.
type API struct {
	service *order.Service
	zone    *time.Location
	memory  *consistency.Memory
}

// New returns an API over the domain. Times are shown in zone; memory has what this process told members of.
func New(service *order.Service, zone *time.Location, memory *consistency.Memory) *API {
	return &API{service: service, zone: zone, memory: memory}
}

// Register adds the routes to an app. Every route needs a principal that the gateway signed, of a member.
func (a *API) Register(app *fiber.App, verifier *assertion.Verifier) {
	routes := app.Group("/orders", httpx.RequirePrincipal(verifier), httpx.RequireMember, httpx.Consistency(a.remembered))
	routes.Get("/", a.list)
	routes.Post("/", a.create)
	routes.Get("/:id", a.get)
	routes.Put("/:id", a.replace)
	routes.Patch("/:id", a.change)
	routes.Delete("/:id", a.delete)
	routes.Post("/:id/transitions", a.transition)
	routes.Get("/:id/timeline", a.timeline)
}

func (a *API) remembered(c *fiber.Ctx) consistency.Token {
	return a.memory.Of(authn.From(c.UserContext()).MemberID)
}
