// Package routes is the table of what the gateway lets in: every path, the methods that it takes, the service that
// answers and who may ask. What is not in the table does not exist to a client.
//
// A path matches only as it is written here, byte by byte: no case folding, no optional slash, no percent-encoding, no
// dots. So there is one way to write each path, and the service behind cannot read another one out of it. The package
// knows neither Fiber nor tokens.
package routes

import (
	"net/http"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
)

// Access says who may use a route.
type Access int

// The kinds of access. The zero value is the closed one: a row that forgets to say is not public.
const (
	Member Access = iota // a valid token is required
	Public               // no token is asked for; one that comes along is ignored
)

// Route is one row of the table.
type Route struct {
	// Methods that the path takes. GET implies HEAD; OPTIONS is answered on every path by the gateway itself.
	Methods []string
	// Pattern is the path. A segment ":id" stands for one of letters, digits, '-' and '_'.
	Pattern string
	// Service is the name of the one that answers.
	Service string
	Access  Access
}

// All is the table.
var All = []Route{
	{methods(http.MethodPost), "/accounts/users", accounts.Service, Public},
	{methods(http.MethodGet), "/accounts/users", accounts.Service, Member},
	{oneMember, "/accounts/users/:id", accounts.Service, Member},
	{methods(http.MethodPost), "/auth/login", accounts.Service, Public},
	{methods(http.MethodPost), "/auth/logout", accounts.Service, Member},
	{methods(http.MethodPost), "/auth/logoutall", accounts.Service, Member},
	{methods(http.MethodPost), "/auth/refresh", accounts.Service, Public},
	{methods(http.MethodGet), "/auth/sessions", accounts.Service, Member},
	{methods(http.MethodDelete), "/auth/sessions/:id", accounts.Service, Member},
	{methods(http.MethodGet), "/audit/events", accounts.Service, Member},
	{methods(http.MethodGet), "/.well-known/jwks.json", accounts.Service, Public},

	{methods(http.MethodGet, http.MethodPost), "/orders/", orders.Service, Member},
	{methods(http.MethodGet, http.MethodPost), "/orders", orders.Service, Member},
	{oneMember, "/orders/:id", orders.Service, Member},
	{methods(http.MethodPost), "/orders/:id/transitions", orders.Service, Member},
	{methods(http.MethodGet), "/orders/:id/timeline", orders.Service, Member},
}

// oneMember is what can be done to one member of a collection.
var oneMember = methods(http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete)

func methods(names ...string) []string { return names }
