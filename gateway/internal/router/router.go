// Package router decides about every request from outside: whether the path exists, whether it takes the method, who asks,
// and which service answers.
//
// What is not in its table (Routes) does not exist to a client. A path matches only as it is written there, byte by byte: no
// case folding, no optional slash, no percent-encoding, no dots. So there is one way to write each path, and a service cannot
// read another one out of it. The order of the questions is that of Django REST Framework: the path (404), then, where every
// method needs a token, the caller (401), then the method (405).
package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/gofiber/fiber/v2"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// Verifier learns from the values of the Authorization header, and from the address that they come from, who makes a request.
type Verifier interface {
	Verify(ctx context.Context, client netip.Addr, authorization []string) (authn.Principal, error)
}

// Forwarder has a service answer a request in the name of the principal. valid says whether the caller's token still counts.
type Forwarder interface {
	Forward(c *fiber.Ctx, principal authn.Principal, valid func(context.Context) error) error
}

// Admission is told of every member that the verifier has let in, and may still refuse the request.
type Admission func(c *fiber.Ctx, principal authn.Principal) error

// Router answers requests. Its services must hold each one that the table names.
type Router struct {
	table    *Table
	verifier Verifier
	admit    Admission
	services map[string]Forwarder
}

// New returns a router over a table; services are found by the names that the table uses.
func New(table *Table, verifier Verifier, admit Admission, services map[string]Forwarder) *Router {
	return &Router{table: table, verifier: verifier, admit: admit, services: services}
}

// decision is what Decide has found out about a request.
type decision struct {
	resource  *Resource
	principal authn.Principal
}

type decisionKey struct{}

// Decide refuses a request for what its head says, or keeps for Handle what it is about and who asks.
func (r *Router) Decide(c *fiber.Ctx) error {
	resource, found := r.table.Find(c.Path())
	if !found {
		return fault.NewNotFound()
	}
	httpx.SetRoute(c, resource.Pattern)
	decided := decision{resource: resource}
	if c.Method() != http.MethodOptions {
		var err error
		if decided.principal, err = r.identify(c, resource); err != nil {
			return err
		}
		if address := forwarded.Of(c).Address; address.IsValid() {
			decided.principal.Address = address.String()
		}
	}
	c.Locals(decisionKey{}, decided)
	return nil
}

// Handle answers the requests that Decide has let in.
func (r *Router) Handle(c *fiber.Ctx) error {
	decided, ok := c.Locals(decisionKey{}).(decision)
	if !ok {
		return errors.New("nothing was decided about the request")
	}
	if c.Method() == http.MethodOptions {
		c.Set(fiber.HeaderAllow, decided.resource.Allow())
		return c.SendStatus(http.StatusNoContent)
	}
	client, bearer := forwarded.Of(c).Address, authorization(c)
	return r.services[decided.resource.Service].Forward(c, decided.principal, func(ctx context.Context) error {
		if decided.principal.MemberID == 0 {
			return nil // a public route
		}
		_, err := r.verifier.Verify(ctx, client, bearer)
		return err
	})
}

// identify returns in whose name the request goes on. Public routes ignore the token: a client that logs in again because
// its token has expired often still sends it.
func (r *Router) identify(c *fiber.Ctx, resource *Resource) (authn.Principal, error) {
	access, allowed := resource.Access(c.Method())
	if allowed && access == Public {
		return authn.Principal{}, nil
	}
	if !allowed && resource.AnyPublic() {
		return authn.Principal{}, methodNotAllowed(c, resource)
	}
	principal, err := r.verifier.Verify(c.UserContext(), forwarded.Of(c).Address, authorization(c))
	if err == nil {
		err = r.admit(c, principal)
	}
	if err != nil {
		return authn.Principal{}, err
	}
	if !allowed {
		return authn.Principal{}, methodNotAllowed(c, resource)
	}
	return principal, nil
}

func methodNotAllowed(c *fiber.Ctx, resource *Resource) error {
	detail := fmt.Sprintf("Method \"%s\" not allowed.", httpx.Method(c))
	return fault.New(fault.MethodNotAllowed, detail, nil).WithHeader(fiber.HeaderAllow, resource.Allow())
}

func authorization(c *fiber.Ctx) []string {
	var values []string
	for _, value := range c.Request().Header.PeekAll(fiber.HeaderAuthorization) {
		values = append(values, string(value))
	}
	return values
}
