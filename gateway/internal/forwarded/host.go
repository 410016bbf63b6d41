package forwarded

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

const (
	maxHost  = 253 // bytes, without the port
	maxLabel = 63
)

// host returns the host that the client asks, with its port, as it is written but in lower case. fasthttp's own reading is not
// used, since it drops what stands before an @ and decodes what is percent-encoded. The target of a request counts more than its
// Host header (RFC 9112, section 3.3); if either is no host, nothing is returned.
func host(header *fasthttp.RequestHeader) string {
	asked := string(header.Host())
	if _, rest, absolute := strings.Cut(string(header.RequestURI()), "://"); absolute && header.RequestURI()[0] != '/' {
		if !IsHost(asked) {
			return ""
		}
		asked = rest
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			asked = rest[:end]
		}
	}
	return strings.ToLower(asked)
}

// IsHost reports whether a host can be shown in a link as it is and means one thing to everybody: a name of letters, digits,
// hyphens and underscores, an IPv4 address in its usual form, or an IPv6 address in brackets, and a port if there is a colon. A
// name in another script is written in its xn-- form; a dot at the end is not taken.
func IsHost(text string) bool {
	if inner, found := strings.CutPrefix(text, "["); found {
		inner, port, closed := strings.Cut(inner, "]")
		address, err := netip.ParseAddr(inner)
		return closed && err == nil && address.Is6() && address.Zone() == "" &&
			(port == "" || port[0] == ':' && isPort(port[1:]))
	}
	name, port, found := strings.Cut(text, ":")
	return isName(name) && (!found || isPort(port))
}

func isName(name string) bool {
	labels := strings.Split(name, ".")
	if len(name) > maxHost {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, isNoLetter) {
			return false
		}
	}
	// What ends with a number is read as an address (WHATWG URL, "ends in a number"), by some in ways that others do not know.
	if isNumber(labels[len(labels)-1]) {
		address, err := netip.ParseAddr(name)
		return err == nil && address.Is4()
	}
	return true
}

// isNumber reports whether a label is a number to the WHATWG URL standard: digits, or hexadecimal ones behind 0x. There may be none of
// these, since 0x alone is read as 0.
func isNumber(label string) bool {
	const digits = "0123456789"
	if lower := strings.ToLower(label); strings.HasPrefix(lower, "0x") {
		return strings.Trim(lower[2:], digits+"abcdef") == ""
	}
	return strings.Trim(label, digits) == ""
}

// isNoLetter is false for what a label is made of.
func isNoLetter(char rune) bool { return char == '.' || char == '~' || isUnsafe(char) }

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0 && text[0] != '0'
}
