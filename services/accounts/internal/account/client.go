package account

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"oms.internal/libs/authn"
)

// MaxUserAgent is how many characters of a user agent are kept.
const MaxUserAgent = 200

// Client is from where, and with what, somebody makes a request.
type Client struct {
	Address   string // an IP address as the gateway knows it, or ""
	UserAgent string // at most MaxUserAgent characters of valid UTF-8
}

// NewClient cleans what is known of a client. What is not an IP address becomes "". The user agent, which anyone may choose,
// loses its control characters and what is longer than MaxUserAgent.
func NewClient(caller authn.Principal, userAgent string) Client {
	return Client{Address: caller.IP(), UserAgent: cleanUserAgent(userAgent)}
}

func cleanUserAgent(text string) string {
	text = strings.Map(func(char rune) rune {
		if unicode.IsControl(char) {
			return -1
		}
		return char // an invalid byte arrives, and stays, as U+FFFD
	}, text)
	if utf8.RuneCountInString(text) > MaxUserAgent {
		text = string([]rune(text)[:MaxUserAgent])
	}
	return text
}

// The parts of an address that are counted as one network. A provider hands a household a /56 of IPv6 at the least
// (RIPE-690), so anything longer would give one attacker many counters; of IPv4 a /24 is the smallest part that is routed
// on its own.
const (
	networkBits4 = 24
	networkBits6 = 56
)

// One machine has one address of IPv4; of IPv6 it chooses any within its /64. These are for counters of failures, which there are for
// the network, too.
const (
	hostBits4 = 32
	hostBits6 = 64
)

// digest tells a client from others, as processes of every release store it.
func (c Client) digest() Digest { return digest("client", c.network(), c.UserAgent) }

// network is the part of the Internet that the client is in, "" where that is not known.
func (c Client) network() string { return c.within(networkBits4, networkBits6) }

// host is what one machine may have of addresses, "" where that is not known.
func (c Client) host() string { return c.within(hostBits4, hostBits6) }

// household is whose share the client takes of what is scarce, "" where that is not known: an address of IPv4, which a household has
// one of, or all that a provider hands to a household of IPv6. Whoever has that has many hosts, but one share.
func (c Client) household() string { return c.within(hostBits4, networkBits6) }

// within is the part of the Internet around the client that has prefixes of these lengths.
func (c Client) within(bits4, bits6 int) string {
	address, err := netip.ParseAddr(c.Address)
	if err != nil {
		return ""
	}
	bits := bits6
	if address.Is4() {
		bits = bits4
	}
	return netip.PrefixFrom(address, bits).Masked().String()
}
