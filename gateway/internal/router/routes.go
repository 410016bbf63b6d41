package router

import (
	"net/http"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
)

// Access says who may use a route. The gateway itself only tells Public from the rest; whom the service refuses is declared
// here so that tests can demand it of the whole system (deploy/e2e/matrix_test.go).
type Access string

// The kinds of access. All but Public need a valid token. A row that does not say is refused.
const (
	Public Access = "public" // anyone; a token that comes along is ignored
	Member Access = "member" // every member
	Owner  Access = "owner"  // whose thing ":id" names, and admins; to others it does not exist (404)
	Self   Access = "self"   // the member that ":id" names, and admins; others, who may see it, hear 403
	Admin  Access = "admin"  // admins; others hear 403
)

// Route is one row of the table.
type Route struct {
	// Methods that the path takes. GET implies HEAD; OPTIONS is answered on every path by the gateway itself.
	Methods []string
	// Pattern is the path. A segment such as ":id" stands for one of letters, digits, '-' and '_'.
	Pattern string
	// Service is the name of the one that answers.
	Service string
	Access  Access
}

// Routes is the table. A new route is a row here; the tests of this package, the description (openapi.yaml) and the
// authorization matrix follow it or fail.
var Routes = []Route{
	{methods(http.MethodPost), "/accounts/users", accounts.Service, Public},
	{methods(http.MethodGet), "/accounts/users", accounts.Service, Member},
	{methods(http.MethodGet), "/accounts/export", accounts.Service, Admin},
	{methods(http.MethodGet), "/accounts/users/:id", accounts.Service, Member},
	{methods(http.MethodPut, http.MethodPatch, http.MethodDelete), "/accounts/users/:id", accounts.Service, Self},
	{methods(http.MethodPost), "/auth/login", accounts.Service, Public},
	{methods(http.MethodPost), "/auth/logout", accounts.Service, Member},
	{methods(http.MethodPost), "/auth/logoutall", accounts.Service, Member},
	{methods(http.MethodPost), "/auth/refresh", accounts.Service, Public},
	{methods(http.MethodGet), "/auth/sessions", accounts.Service, Member},
	{methods(http.MethodDelete), "/auth/sessions/:id", accounts.Service, Owner},
	{methods(http.MethodGet), "/audit/events", accounts.Service, Admin},
	{methods(http.MethodGet), "/.well-known/jwks.json", accounts.Service, Public},

	{methods(http.MethodGet, http.MethodPost), "/orders/", orders.Service, Member},
	{methods(http.MethodGet, http.MethodPost), "/orders", orders.Service, Member},
	{methods(http.MethodGet), "/orders/export", orders.Service, Admin},
	{methods(http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete), "/orders/:id", orders.Service, Owner},
	{methods(http.MethodPost), "/orders/:id/transitions", orders.Service, Owner},
	{methods(http.MethodGet), "/orders/:id/timeline", orders.Service, Owner},
	{methods(http.MethodDelete), "/orders/:id/timeline/:step/note", orders.Service, Admin},
}

// PagesService is the name under which the gateway itself answers: pages for people, the description of the API, and what the pages load.
const PagesService = "pages"

// Pages are the rows of what people open in a browser. They are part of the table unless the operator switches them off.
var Pages = []Route{
	page("/"), page("/swagger"), page("/swagger/"), page("/redoc"), page("/redoc/"),
	page("/openapi.json"), page("/swagger.json"), page("/swagger.yaml"),
	page("/assets/icon.svg"), page("/assets/licenses.txt"), page("/assets/start.css"),
	page("/assets/swagger-ui-bundle.js"), page("/assets/swagger-ui.css"), page("/assets/swagger.js"), page("/assets/swagger.css"),
	page("/assets/redoc.standalone.js"), page("/assets/redoc.js"), page("/assets/bar.css"),
}

func page(pattern string) Route { return Route{methods(http.MethodGet), pattern, PagesService, Public} }

func methods(names ...string) []string { return names }
