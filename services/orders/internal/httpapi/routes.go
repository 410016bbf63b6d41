// Package httpapi is the HTTP surface of the orders service: routes, JSON, and the checks of single fields. Who may do
// what is decided in the domain.
package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
	"oms.internal/orders/internal/order"
)

// API handles the routes.
type API struct {
	service *order.Service
	zone    *time.Location
	exports httpx.Streams
}

// exports is how many exports run at the same time.
const exports = 2

// New returns an API over the domain. Times are shown in zone.
func New(service *order.Service, zone *time.Location, metrics prometheus.Registerer) *API {
	return &API{service: service, zone: zone, exports: httpx.NewStreams(exports, metrics)}
}

// Register adds the routes to an app. Every route needs a principal that the gateway signed, of a member. consistent makes
// callers see what they were told (consistencyhttp.Handler).
func (a *API) Register(app *fiber.App, verifier *assertion.Verifier, consistent fiber.Handler) {
	routes := app.Group("/orders", httpx.RequirePrincipal(verifier), httpx.RequireMemberTelling(a.service.NoteDenied), consistent)
	routes.Get("/", a.list)
	routes.Post("/", a.create)
	routes.Get("/export", a.export)
	routes.Get("/:id", a.get)
	routes.Put("/:id", a.replace)
	routes.Patch("/:id", a.change)
	routes.Delete("/:id", a.delete)
	routes.Post("/:id/transitions", a.transition)
	routes.Get("/:id/timeline", a.timeline)
	routes.Delete("/:id/timeline/:step/note", a.redactNote)
}
