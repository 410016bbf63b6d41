// Package limit bounds what one client may take, so that others are served: how many connections it has, and how often it
// asks, by address, whoever it is, and by member, wherever it is, and how often an address asks in vain. It tells every client how many
// requests are left (draft-ietf-httpapi-ratelimit-headers).
//
// It counts in this process only: with several gateways a client has the limits of each. It knows no routes, and does
// not bound failed logins; that is for accounts.
package limit

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fault"
)

// The headers of the draft.
const (
	headerPolicy = "RateLimit-Policy"
	headerLimit  = "RateLimit"
)

// Limits are those of the gateway.
type Limits struct {
	policy  string
	address *buckets[netip.Addr]
	member  *buckets[uint64]
}

// New returns limits; a zero Rate stands for none.
func New(address, member Rate, now func() time.Time) *Limits {
	limits := &Limits{}
	var policies []string
	if address != (Rate{}) {
		limits.address = newBuckets[netip.Addr](address, now)
		policies = append(policies, policy("address", address))
	}
	if member != (Rate{}) {
		limits.member = newBuckets[uint64](member, now)
		policies = append(policies, policy("member", member))
	}
	limits.policy = strings.Join(policies, ", ")
	return limits
}

func policy(name string, rate Rate) string {
	return fmt.Sprintf("%q;q=%d;w=%d", name, rate.Burst, seconds(rate.window()))
}

func seconds(wait time.Duration) int { return int(math.Ceil(wait.Seconds())) }

// Address counts a request for the address that it comes from. It must be asked before everything that costs much.
func (l *Limits) Address(c *fiber.Ctx) error {
	return l.takeAddress(&c.Response().Header, forwarded.Of(c).Address)
}

// Member counts a request for the member who makes it.
func (l *Limits) Member(c *fiber.Ctx, memberID uint64) error {
	if l.member == nil {
		return nil
	}
	return tell(&c.Response().Header, "member", l.member.take(memberID))
}

// Unreadable returns a function that counts a request that could not be read for the address of its connection. Those of trusted
// proxies do not count, since it is not known which of their clients sent them.
func (l *Limits) Unreadable(trusted forwarded.Proxies) func(*fasthttp.RequestCtx) {
	return func(request *fasthttp.RequestCtx) {
		if address := forwarded.Remote(request.RemoteAddr()); !trusted.Trusts(address) {
			_ = l.takeAddress(&request.Response.Header, address) // it is refused in any case
		}
	}
}

func (l *Limits) takeAddress(header *fasthttp.ResponseHeader, address netip.Addr) error {
	if l.policy != "" {
		header.Set(headerPolicy, l.policy)
	}
	if l.address == nil || !address.IsValid() {
		return nil
	}
	return tell(header, "address", l.address.take(forwarded.Network(address)))
}

// tell writes what is left, and refuses a request that has no token.
func tell(header *fasthttp.ResponseHeader, name string, left level) error {
	value := fmt.Sprintf("%q;r=%d;t=%d", name, left.remaining, seconds(left.full))
	if before := header.Peek(headerLimit); len(before) > 0 {
		value = string(before) + ", " + value
	}
	header.Set(headerLimit, value)
	if !left.taken {
		return fault.NewTooManyRequests(left.retryAfter)
	}
	return nil
}
