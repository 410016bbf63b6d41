// Package cors says which pages of other sites may use the API from a browser (the CORS protocol of the Fetch
// standard). By default none may.
//
// No answer ever allows credentials: the API knows no cookies, and a token that a page holds it sends by itself.
package cors

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	allowedHeaders = "Authorization, Consistency-Token, Content-Type, If-Match, If-None-Match, Idempotency-Key"
	exposedHeaders = "Allow, Consistency-Token, Degraded, ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, " +
		"Retry-After, WWW-Authenticate, X-Request-Id"
	maxAge = "600" // seconds for which a browser need not ask again
)

// anyOrigin stands for all of them.
const anyOrigin = "*"

// Origins are those whose pages may use the API. The zero value allows none.
type Origins struct{ allowed []string }

// UnmarshalText reads origins (scheme://host, with a port where it is not the usual one) separated by commas, or "*".
func (o *Origins) UnmarshalText(text []byte) error {
	o.allowed = nil
	if len(text) == 0 {
		return nil
	}
	for item := range strings.SplitSeq(string(text), ",") {
		origin := strings.TrimSpace(item)
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf("%q: %w", origin, err)
		}
		o.allowed = append(o.allowed, origin)
	}
	if len(o.allowed) > 1 && slices.Contains(o.allowed, anyOrigin) {
		return errors.New(`"*" stands for all origins and needs no others`)
	}
	return nil
}

// checkOrigin demands the form in which browsers send an origin, since it is compared byte by byte.
func checkOrigin(origin string) error {
	if origin == anyOrigin {
		return nil
	}
	parsed, err := url.Parse(origin)
	if err != nil {
		return err
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" || strings.Contains(parsed.Host, "*") {
		return errors.New("must be http://host or https://host")
	}
	if origin != parsed.Scheme+"://"+strings.ToLower(parsed.Host) {
		return errors.New("must be a scheme and a host in lower case, without a path")
	}
	return nil
}

// LogValue shows the origins as they were given.
func (o Origins) LogValue() slog.Value { return slog.StringValue(strings.Join(o.allowed, ",")) }

// Handle lets the pages of allowed origins read the answer. A preflight is answered by whoever answers OPTIONS; what it
// allows there is told in the words of CORS.
func (o Origins) Handle(c *fiber.Ctx) error {
	if len(o.allowed) == 0 {
		return c.Next()
	}
	origin := c.Get(fiber.HeaderOrigin)
	if o.allowed[0] == anyOrigin {
		c.Set(fiber.HeaderAccessControlAllowOrigin, anyOrigin)
	} else {
		// Also for other origins, or a cache would give them the answer that one of these may see.
		c.Vary(fiber.HeaderOrigin)
		if !slices.Contains(o.allowed, origin) {
			return c.Next()
		}
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	}
	c.Set(fiber.HeaderAccessControlExposeHeaders, exposedHeaders)
	preflight := c.Method() == fiber.MethodOptions && origin != "" && c.Get(fiber.HeaderAccessControlRequestMethod) != ""
	err := c.Next()
	if allow := c.GetRespHeader(fiber.HeaderAllow); preflight && err == nil && allow != "" {
		c.Set(fiber.HeaderAccessControlAllowMethods, allow)
		c.Set(fiber.HeaderAccessControlAllowHeaders, allowedHeaders)
		c.Set(fiber.HeaderAccessControlMaxAge, maxAge)
	}
	return err
}
