package forwarded

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"oms.internal/libs/httpx"
)

// Proxies are the networks whose forwarding headers are believed. The zero value believes none.
type Proxies struct{ networks []netip.Prefix }

// UnmarshalText reads networks ("10.0.0.0/8") and single addresses, separated by commas.
func (p *Proxies) UnmarshalText(text []byte) error {
	p.networks = nil
	if len(text) == 0 {
		return nil
	}
	for item := range strings.SplitSeq(string(text), ",") {
		network, err := parseNetwork(strings.TrimSpace(item))
		if err != nil {
			return err
		}
		p.networks = append(p.networks, network)
	}
	return nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q: not a network such as 10.0.0.0/8", text)
	}
	if network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q: write the IPv4 network itself", text)
	}
	return network.Masked(), nil
}

// LogValue shows the networks as they are understood.
func (p Proxies) LogValue() slog.Value { return slog.AnyValue(p.networks) }

// Trusts reports whether an address belongs to a trusted proxy.
func (p Proxies) Trusts(address netip.Addr) bool {
	for _, network := range p.networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// Client returns who is at the other end of a connection: a network, or a trusted proxy, which stands for many.
func (p Proxies) Client(remote net.Addr) httpx.Client {
	address := Remote(remote)
	return httpx.Client{Network: Network(address), Many: p.Trusts(address)}
}

// address returns the client behind a connection. Each trusted proxy has added, on the right, the address from which it was
// asked. So the client is the first address from the right that is not a trusted proxy. Anyone may have written what stands
// to the left of it, and to the left of an address that cannot be read.
func (p Proxies) address(remote netip.Addr, forwardedFor []string) netip.Addr {
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	address := remote
	for i := len(hops) - 1; i >= 0 && p.Trusts(address); i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		address = hop
	}
	return address
}

// parseHop reads an address as proxies write it: bare, in brackets, or with a port.
func parseHop(text string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return plain(withPort.Addr()), true
	}
	if inner, found := strings.CutPrefix(text, "["); found {
		text, found = strings.CutSuffix(inner, "]")
		if !found {
			return netip.Addr{}, false
		}
	}
	address, err := netip.ParseAddr(text)
	return plain(address), err == nil
}

// plain writes each address in one way: IPv4 as IPv4, and without a zone, which means something on one machine only.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
