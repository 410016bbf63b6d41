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
)

// checkText refuses paths and queries that are not valid UTF-8 or hold NUL once decoded: no column could hold them.
func checkText(c *fiber.Ctx) error {
	decoded, err := url.PathUnescape(c.OriginalURL())
	if err != nil || !utf8.ValidString(decoded) || strings.ContainsRune(decoded, 0) {
		return fault.New(fault.Malformed, "The URL is not valid UTF-8 text.", err)
	}
	return c.Next()
}

// refuseEncoded refuses compressed bodies. Fiber would decompress them without a limit: 64 KiB can hold gigabytes.
func refuseEncoded(c *fiber.Ctx) error {
	if len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0 {
		return fault.New(fault.UnsupportedMediaType, "Content-Encoding is not supported in requests.", nil)
	}
	return c.Next()
}

// ID returns the path parameter id. Whatever is not the decimal number of a possible row is not found.
func ID(c *fiber.Ctx) (uint64, error) {
	id, err := strconv.ParseUint(c.Params("id"), 10, 63)
	if err != nil || id == 0 {
		return 0, fault.NewNotFound()
	}
	return id, nil
}

// RequestedURL returns the absolute URL under which the client asked for this request, for links in the answer.
func RequestedURL(c *fiber.Ctx) *url.URL {
	requested := &url.URL{Scheme: "http", Host: c.Hostname(), Path: c.Path(), RawQuery: string(c.Request().URI().QueryString())}
	if host := c.Get(HeaderForwardedHost); host != "" {
		requested.Host = host
	}
	if c.Get(HeaderForwardedProto) == "https" {
		requested.Scheme = "https"
	}
	return requested
}
