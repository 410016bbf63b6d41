package authn

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
)

type contextKey struct{}

// Into returns a context that carries the principal.
func Into(ctx context.Context, principal Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, principal)
}

// From returns the principal in ctx; without one the caller is anonymous.
func From(ctx context.Context) Principal {
	principal, _ := ctx.Value(contextKey{}).(Principal)
	return principal
}

// RequirePrincipal refuses every request without a valid principal and puts the principal into the request's context.
// Two principals are none: the gateway sends one, and who reads the other one would act for somebody else.
func RequirePrincipal(verifier *Verifier) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Request().Header.PeekAll(Header)) > 1 {
			return unauthenticated(errors.New("more than one principal"))
		}
		principal, err := verifier.Verify(c.Get(Header))
		if err != nil {
			return err
		}
		c.SetUserContext(Into(c.UserContext(), principal))
		return c.Next()
	}
}

// RequireMember refuses anonymous callers. It runs behind RequirePrincipal, so that a route that the gateway takes for
// public by mistake still is not.
func RequireMember(c *fiber.Ctx) error {
	if From(c.UserContext()).Anonymous() {
		return unauthenticated(nil)
	}
	return c.Next()
}
