// Package authn says who makes a request. The domain works with the Principal; package assertion carries it from the
// gateway to a service, and package httpx refuses requests without one.
//
// It imports no transport and no wire format, so that the domain may import it.
package authn

import (
	"context"
	"net/netip"

	"oms.internal/libs/fault"
)

// Principal is who makes a request.
type Principal struct {
	// MemberID is the member's id, 0 for an anonymous caller.
	MemberID uint64
	// SessionID is the session whose token was shown, 0 for an anonymous caller.
	SessionID uint64
	// Admin is the right to see and change everything, as it was when the token was issued.
	Admin bool
	// Address is the IP address of the client as the gateway knows it, without port; "" where it does not apply. It is
	// there for anonymous callers too.
	Address string
}

// Anonymous reports whether the caller showed no token.
func (p Principal) Anonymous() bool { return p.MemberID == 0 }

// IP returns the address in its shortest form, or "" where it is no IP address.
func (p Principal) IP() string {
	address, err := netip.ParseAddr(p.Address)
	if err != nil {
		return ""
	}
	return address.Unmap().WithZone("").String()
}

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

// NewUnauthenticated returns the fault for a caller who must log in, and cause for the log.
func NewUnauthenticated(cause error) *fault.Error {
	return fault.New(fault.Unauthenticated, "Authentication credentials were not provided.", cause).
		WithHeader("WWW-Authenticate", "Token")
}
