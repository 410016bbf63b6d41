// Package authn hands the identity of a caller from the gateway, which verified it, to the services, which believe
// nobody else.
//
// The gateway signs a Principal with its Ed25519 key into a short-lived JWT for one service (the audience); the
// services hold only the public key, so no service can speak for a caller to another one. A request without a valid
// principal is refused, even on public routes: those carry an anonymous one.
package authn

import (
	"strconv"
	"time"
)

// Header is the HTTP header in which the signed principal travels from the gateway to a service.
const Header = "Oms-Principal"

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

// Lifetime is how long a signed principal is valid: the time a request may take to reach its service, with room for
// clocks that differ.
const Lifetime = 30 * time.Second

const (
	issuer = "oms-gateway"
	// leeway is how far a service's clock may be behind the gateway's.
	leeway = 5 * time.Second
)

func formatID(id uint64) string { return strconv.FormatUint(id, 10) }
