package httpx

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
)

// The headers in which the gateway tells a service under which URL the client asked.
const (
	HeaderForwardedHost  = fiber.HeaderXForwardedHost
	HeaderForwardedProto = fiber.HeaderXForwardedProto
	// HeaderForwardedPrefix is what stood before the path, where a proxy has cut something off.
	HeaderForwardedPrefix = "X-Forwarded-Prefix"
)

// checkText refuses paths and queries that are not valid UTF-8 or hold NUL once decoded: no column could hold them.
func checkText(c *fiber.Ctx) error {
	decoded, err := url.PathUnescape(c.OriginalURL())
	if err != nil || !utf8.ValidString(decoded) || strings.ContainsRune(decoded, 0) {
		return fault.New(fault.Malformed, "The URL is not valid UTF-8 text.", err)
	}
	return nil
}

// refuseEncoded refuses compressed bodies, because Fiber would decompress them without a limit: 64 KiB can become gigabytes.
func refuseEncoded(c *fiber.Ctx) error {
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return fault.New(fault.UnsupportedMediaType, "Content-Encoding is not supported in requests.", nil)
	}
	return nil
}

// ID returns the path parameter id. Whatever is not the decimal number of a possible row is not found.
func ID(c *fiber.Ctx) (uint64, error) { return PathID(c, "id") }

// PathID is ID for a path parameter of another name.
func PathID(c *fiber.Ctx, name string) (uint64, error) {
	id, err := strconv.ParseUint(c.Params(name), 10, 63)
	if err != nil || id == 0 {
		return 0, fault.NewNotFound()
	}
	return id, nil
}

// RequestedURL returns the absolute URL under which the client asked for this request, for links in the answer.
func RequestedURL(c *fiber.Ctx) *url.URL {
	requested := &url.URL{
		Scheme: "http", Host: c.Hostname(), Path: requestedPath(c, c.Path()),
		RawQuery: string(c.Request().URI().QueryString()),
	}
	if host := c.Get(HeaderForwardedHost); host != "" {
		requested.Host = host
	}
	if c.Get(HeaderForwardedProto) == "https" {
		requested.Scheme = "https"
	}
	return requested
}

// SetLocation says under which path the client finds what was made.
func SetLocation(c *fiber.Ctx, path string) { c.Location(requestedPath(c, path)) }

// requestedPath is the path under which the client, who may see another one than this service, asks for path.
func requestedPath(c *fiber.Ctx, path string) string { return c.Get(HeaderForwardedPrefix) + path }
