// Package forwarded finds out where a request comes from: the address of the client, and the scheme, the host and the prefix
// of the path under which it asked.
//
// It believes forwarding headers only if the connection comes from a proxy that the operator trusts. Otherwise it goes by the
// connection. The package decides nothing about who the client is.
package forwarded

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/httpx"
)

// Source is where a request comes from.
type Source struct {
	// Address of the client; the zero value where the connection has none, as in memory.
	Address netip.Addr
	// Host with its port, in lower case and otherwise as it was asked; IsHost says whether it can be shown.
	Host string
	// Proto is "http" or "https".
	Proto string
	// Prefix is what a proxy has cut off the path under which the client asked, such as "/api"; "" for nothing.
	Prefix string
}

type key struct{}

// Find returns a check that refuses nothing, and finds out the source for whoever follows.
func Find(trusted Proxies) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Locals(key{}, trusted.source(c.Context()))
		return nil
	}
}

// Of returns the source that Find has found; without Find, that of the connection.
func Of(c *fiber.Ctx) Source {
	if source, ok := c.Locals(key{}).(Source); ok {
		return source
	}
	return Proxies{}.source(c.Context())
}

// Remote returns the address at the other end of a connection.
func Remote(address net.Addr) netip.Addr {
	if tcp, ok := address.(*net.TCPAddr); ok {
		return plain(tcp.AddrPort().Addr())
	}
	return netip.Addr{}
}

// ipv6Network is the length of the prefix that a provider hands to a household at the least (RIPE-690). With a longer one, a single
// household would count as up to 256 clients, and have as many shares.
const ipv6Network = 56

// Network returns what counts as one client: an IPv4 address, or the first address of a household's network of IPv6.
func Network(address netip.Addr) netip.Addr {
	if address.Is6() {
		return netip.PrefixFrom(address, ipv6Network).Masked().Addr()
	}
	return address
}

func (p Proxies) source(request *fasthttp.RequestCtx) Source {
	source := Source{Address: Remote(request.RemoteAddr()), Host: host(&request.Request.Header), Proto: "http"}
	// The scheme is that of the connection, not the one that a client may write into the request line.
	if request.IsTLS() {
		source.Proto = "https"
	}
	if !p.Trusts(source.Address) {
		return source
	}
	header := &request.Request.Header
	source.Address = p.address(source.Address, all(header, fiber.HeaderXForwardedFor))
	if host := last(header, fiber.HeaderXForwardedHost); host != "" {
		source.Host = strings.ToLower(host)
	}
	if proto := strings.ToLower(last(header, fiber.HeaderXForwardedProto)); proto == "http" || proto == "https" {
		source.Proto = proto
	}
	if prefix := strings.TrimSuffix(last(header, headerPrefix), "/"); isPrefix(prefix) {
		source.Prefix = prefix
	}
	return source
}

func all(header *fasthttp.RequestHeader, name string) []string {
	var values []string
	for _, value := range header.PeekAll(name) {
		values = append(values, string(value))
	}
	return values
}

// last returns the rightmost member of a header, which is what the nearest proxy wrote.
func last(header *fasthttp.RequestHeader, name string) string {
	joined := strings.Join(all(header, name), ",")
	return strings.TrimSpace(joined[strings.LastIndexByte(joined, ',')+1:])
}

const (
	headerPrefix = httpx.HeaderForwardedPrefix
	maxPrefix    = 256 // bytes
)

// isPrefix reports whether a path can be shown in a link as it is, and can mean nothing else than a path: it begins with one
// slash, and no segment is empty, "." or "..".
func isPrefix(path string) bool {
	segments := strings.Split(path, "/")
	if len(path) > maxPrefix || segments[0] != "" || len(segments) == 1 {
		return false
	}
	for _, segment := range segments[1:] {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, isUnsafe) {
			return false
		}
	}
	return true
}

// isUnsafe is false for the characters that RFC 3986, section 2.3, calls unreserved.
func isUnsafe(char rune) bool {
	letter := 'a' <= char|0x20 && char|0x20 <= 'z'
	return !letter && (char < '0' || char > '9') && !strings.ContainsRune("-._~", char)
}
