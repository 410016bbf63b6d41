package browser

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/httpx"
)

const (
	exposedHeaders = "Allow, Consistency-Token, Content-Disposition, Degraded, ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, " +
		"Retry-After, WWW-Authenticate, X-Request-Id"
	maxAge = "600" // seconds for which a browser need not ask again
)

// share lets the pages of allowed origins read the answer (the CORS protocol of the Fetch standard), and answers their
// preflights: OPTIONS is answered with Allow, which is told in the words of CORS.
func (p Policy) share(request *fasthttp.RequestCtx) {
	if len(p.Origins.allowed) == 0 {
		return
	}
	answer := &request.Response.Header
	if p.Origins.allowed[0] == anyOrigin {
		answer.Set(fiber.HeaderAccessControlAllowOrigin, anyOrigin)
	} else {
		// Also for other origins, or a cache would give them the answer that one of these may see.
		answer.Add(fiber.HeaderVary, fiber.HeaderOrigin)
		origin := httpx.Origin(request)
		if !slices.Contains(p.Origins.allowed, origin) {
			return
		}
		answer.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	}
	answer.Set(fiber.HeaderAccessControlExposeHeaders, exposedHeaders)
	if allow := answer.Peek(fiber.HeaderAllow); isPreflight(request) && len(allow) > 0 {
		answer.SetBytesV(fiber.HeaderAccessControlAllowMethods, allow)
		answer.Set(fiber.HeaderAccessControlAllowHeaders, p.RequestHeaders.String())
		answer.Set(fiber.HeaderAccessControlMaxAge, maxAge)
	}
}

func isPreflight(request *fasthttp.RequestCtx) bool {
	header := &request.Request.Header
	return request.IsOptions() && request.Response.StatusCode() < http.StatusBadRequest &&
		len(header.Peek(fiber.HeaderOrigin)) > 0 && len(header.Peek(fiber.HeaderAccessControlRequestMethod)) > 0
}

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

// defaultRequestHeaders are those of the API, and those that tracing and common libraries add by themselves.
const defaultRequestHeaders = "Authorization, Consistency-Token, Content-Type, If-Match, If-None-Match, Idempotency-Key, " +
	"traceparent, tracestate, baggage, X-Requested-With"

// HeaderNames are the names of the headers that pages of allowed origins may send. The zero value stands for all that the
// API knows and a few that tracing and common libraries add.
type HeaderNames struct{ names []string }

// UnmarshalText reads names separated by commas.
func (h *HeaderNames) UnmarshalText(text []byte) error {
	h.names = nil
	if len(text) == 0 {
		return nil
	}
	for item := range strings.SplitSeq(string(text), ",") {
		name := strings.TrimSpace(item)
		if !httpx.IsToken(name) {
			return fmt.Errorf("%q: is no name of a header", name)
		}
		if name == "*" {
			return errors.New(`"*" does not stand for Authorization: list the names`)
		}
		if slices.ContainsFunc(h.names, func(other string) bool { return strings.EqualFold(name, other) }) {
			return fmt.Errorf("%q: is listed twice", name)
		}
		h.names = append(h.names, name)
	}
	return nil
}

// String is the value of a header that lists the names.
func (h HeaderNames) String() string {
	if len(h.names) == 0 {
		return defaultRequestHeaders
	}
	return strings.Join(h.names, ", ")
}

// LogValue shows the names.
func (h HeaderNames) LogValue() slog.Value { return slog.StringValue(h.String()) }
