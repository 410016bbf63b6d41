package forwarded

import (
	"fmt"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

func proxies(t testing.TB, text string) Proxies {
	t.Helper()
	var trusted Proxies
	require.NoError(t, trusted.UnmarshalText([]byte(text)))
	return trusted
}

func TestClientIsWhoConnectsUnlessATrustedProxyNamesAnother(t *testing.T) {
	t.Parallel()
	const trusted = "10.0.0.0/8, 192.0.2.7,fd00::/8"
	for name, test := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"no proxy":                         {"203.0.113.5", nil, "203.0.113.5"},
		"header from anyone":               {"203.0.113.5", []string{"1.1.1.1"}, "203.0.113.5"},
		"one proxy":                        {"10.1.2.3", []string{"203.0.113.5"}, "203.0.113.5"},
		"proxy without a header":           {"10.1.2.3", nil, "10.1.2.3"},
		"what the client wrote before":     {"10.1.2.3", []string{"1.1.1.1, 2.2.2.2,203.0.113.5"}, "203.0.113.5"},
		"a chain of proxies":               {"10.1.2.3", []string{"1.1.1.1, 203.0.113.5, 192.0.2.7"}, "203.0.113.5"},
		"several headers":                  {"10.1.2.3", []string{"1.1.1.1", "203.0.113.5", "10.9.9.9"}, "203.0.113.5"},
		"only proxies":                     {"10.1.2.3", []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		"what cannot be read":              {"10.1.2.3", []string{"203.0.113.5, unknown, 10.0.0.2"}, "10.0.0.2"},
		"an empty hop":                     {"10.1.2.3", []string{"203.0.113.5,"}, "10.1.2.3"},
		"with a port":                      {"10.1.2.3", []string{"203.0.113.5:4711"}, "203.0.113.5"},
		"IPv6":                             {"fd00::1", []string{"2001:db8::5"}, "2001:db8::5"},
		"IPv6 in brackets":                 {"fd00::1", []string{"[2001:db8::5]"}, "2001:db8::5"},
		"IPv6 with a port":                 {"fd00::1", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		"IPv6 with a zone":                 {"fd00::1", []string{"fe80::1%eth0"}, "fe80::1"},
		"half a bracket":                   {"fd00::1", []string{"[2001:db8::5"}, "fd00::1"},
		"IPv4 in IPv6 passes no network":   {"10.1.2.3", []string{"203.0.113.5, ::ffff:10.0.0.9"}, "203.0.113.5"},
		"a name is no address":             {"10.1.2.3", []string{"localhost"}, "10.1.2.3"},
		"a number that looks like address": {"10.1.2.3", []string{"0x7f.1"}, "10.1.2.3"},
	} {
		got := proxies(t, trusted).address(netip.MustParseAddr(test.remote), test.forwarded)
		require.Equal(t, test.want, got.String(), name)
	}
}

func TestWrongNetworksAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "10.0.0.0/33", "10.0.0.0/8,", ",", "fe80::1%eth0", "::ffff:10.0.0.0/104", "10.0.0.0/8 fd00::/8"} {
		var trusted Proxies
		require.Error(t, trusted.UnmarshalText([]byte(text)), text)
	}
	require.False(t, proxies(t, "").Trusts(netip.MustParseAddr("127.0.0.1")))
	require.True(t, proxies(t, "10.1.2.3/8").Trusts(netip.MustParseAddr("10.9.9.9")))
}

// sourceOf asks an app, whose clients all seem to come from 0.0.0.0.
func sourceOf(t *testing.T, trusted string, header map[string]string) Source {
	t.Helper()
	var source Source
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error {
		err := Find(proxies(t, trusted))(c)
		source = Of(c)
		return err
	})
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	request.Host = "shop.test"
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := app.Test(request, -1)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return source
}

func TestHostSchemeAndPrefixAreBelievedFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	forwarded := map[string]string{
		"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Host": "evil.test, Front.test:8443", "X-Forwarded-Proto": "http, HTTPS",
		"X-Forwarded-Prefix": "/evil, /api/v1/",
	}
	self := netip.MustParseAddr("0.0.0.0")
	require.Equal(t, Source{self, "shop.test", "http", ""}, sourceOf(t, "", forwarded))
	require.Equal(t, Source{self, "shop.test", "http", ""}, sourceOf(t, "10.0.0.0/8", forwarded))
	require.Equal(t, Source{netip.MustParseAddr("203.0.113.5"), "front.test:8443", "https", "/api/v1"}, sourceOf(t, "0.0.0.0", forwarded))
	require.Equal(t, Source{self, "shop.test", "http", ""}, sourceOf(t, "0.0.0.0", map[string]string{"X-Forwarded-Proto": "javascript"}))
}

func TestPrefixThatCouldMeanAnythingElseIsIgnored(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"/api": "/api", "/api/": "/api", "/a/b-c_d.e~1": "/a/b-c_d.e~1", "/v1, /api": "/api", "/" + strings.Repeat("a", 255): "/" + strings.Repeat("a", 255),
		"": "", "/": "", "api": "", "//evil.test": "", "/a//b": "", "/api//": "", "/..": "", "/a/../b": "", "/.": "", "/a%2f": "", "/a?b": "", "/a#b": "",
		`/\evil.test`: "", "/a b": "", "/a\tb": "", "/가": "", "https://evil.test/a": "", "/a;b": "", "/a:b": "", "/a@b": "", `/"a`: "", "/<a>": "",
		"/" + strings.Repeat("a", 256): "", "/api,": "",
	} {
		got := sourceOf(t, "0.0.0.0", map[string]string{"X-Forwarded-Prefix": header})
		require.Equal(t, want, got.Prefix, "%q", header)
	}
}

func TestNetworkIsOneClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.5": "203.0.113.5", "203.0.113.6": "203.0.113.6", "2001:db8:0:1:2:3:4:5": "2001:db8::", "2001:db8:0:100::": "2001:db8:0:100::",
	} {
		require.Equal(t, want, Network(netip.MustParseAddr(address)).String())
	}
}

func TestAHouseholdOfIPv6IsOneClientWithAllOfItsNetworks(t *testing.T) {
	t.Parallel()
	clients := map[httpx.Client]bool{}
	for network := range 256 { // each a /64
		address := netip.MustParseAddr(fmt.Sprintf("2001:db8:0:1%02x::%x", network, network+1))
		clients[Proxies{}.Client(&net.TCPAddr{IP: address.AsSlice(), Port: 4711})] = true
	}
	require.Len(t, clients, 1)
	neighbour := netip.MustParseAddr("2001:db8:0:200::1")
	require.NotContains(t, clients, Proxies{}.Client(&net.TCPAddr{IP: neighbour.AsSlice(), Port: 4711}))
}

func FuzzAddressOfAClientIsOneThatATrustedHopNamed(f *testing.F) {
	for _, header := range []string{"", "1.1.1.1", "1.1.1.1, 10.0.0.1", "[::1]:80,10.0.0.1", "10.0.0.1:x", "::ffff:10.0.0.1", "fe80::1%a,b"} {
		f.Add("10.0.0.1", header)
		f.Add("203.0.113.5", header)
	}
	trusted := proxies(f, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, remote, header string) {
		connected, err := netip.ParseAddr(remote)
		if err != nil {
			return
		}
		connected = plain(connected)
		got := trusted.address(connected, []string{header})
		require.True(t, got.IsValid())
		require.Empty(t, got.Zone())
		require.False(t, got.Is4In6())
		if !trusted.Trusts(connected) {
			require.Equal(t, connected, got)
		}
	})
}

func FuzzPrefixThatCanBeShownIsAPathOfThisHost(f *testing.F) {
	for _, path := range []string{"/api", "//evil.test", "/a/b", "/../a", "", "/", "/a%2fb", `/\a`} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if isPrefix(path) {
			require.Regexp(t, `^(/[A-Za-z0-9._~-]+)+$`, path)
			require.NotRegexp(t, `/\.\.?(/|$)`, path)
		}
	})
}

func FuzzTrustedNetworksAreMaskedAndPlain(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "127.0.0.1,::1", "fd00::1/8", "::ffff:10.0.0.1", "x", "0.0.0.0/0", ","} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var trusted Proxies
		if trusted.UnmarshalText([]byte(text)) != nil {
			return
		}
		for _, network := range trusted.networks {
			require.True(t, network.IsValid())
			require.Equal(t, network.Masked(), network)
			require.False(t, network.Addr().Is4In6())
			require.True(t, trusted.Trusts(network.Addr()))
		}
	})
}
