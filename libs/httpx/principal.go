package httpx

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// RequirePrincipal refuses requests without a valid assertion, and puts the principal into the request's context.
//
// A request with two assertions is refused too: the gateway sends one, and two readers of two might act for different
// callers.
func RequirePrincipal(verifier *assertion.Verifier) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Request().Header.PeekAll(assertion.Header)) > 1 {
			return authn.NewUnauthenticated(errors.New("more than one principal"))
		}
		principal, err := verifier.Verify(c.Get(assertion.Header))
		if err != nil {
			return err
		}
		ctx := authn.Into(c.UserContext(), principal)
		c.SetUserContext(fairshare.Into(ctx, principal.MemberID))
		return c.Next()
	}
}

// RequireMemberTelling is RequireMember, and calls denied for each request that is refused because of who asks: what it asks for is
// forbidden, or belongs to another member. owner is that member, 0 where it is not known. request names the method and the route, and
// nothing that the client chose.
func RequireMemberTelling(
	denied func(ctx context.Context, caller authn.Principal, owner uint64, request string),
) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := RequireMember(c)
		var of *authn.Denied
		if !errors.As(err, &of) {
			if !fault.Is(err, fault.Forbidden) {
				return err
			}
			of = &authn.Denied{}
		}
		denied(c.UserContext(), authn.From(c.UserContext()), of.MemberID, c.Method()+" "+c.Route().Path)
		return err
	}
}

// RequireMember refuses anonymous callers. It runs behind RequirePrincipal, so that a private route stays closed even if
// the gateway takes it for a public one.
func RequireMember(c *fiber.Ctx) error {
	if authn.From(c.UserContext()).Anonymous() {
		return authn.NewUnauthenticated(nil)
	}
	return c.Next()
}
