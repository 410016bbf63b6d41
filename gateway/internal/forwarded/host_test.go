package forwarded

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

func TestAHostIsWhatMeansTheSameToEverybody(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"shop.test", "shop.test:8080", "SHOP.test", "localhost", "oms_gateway:1", "a-b.c:65535", "xn--bcher-kva.test", "1a", "a.1a",
		"a.0xg", "a.x0", "0x1.a", "a.1_0", "203.0.113.5", "203.0.113.5:80", "[2001:db8::1]", "[::1]:80", "[::ffff:1.2.3.4]", strings.Repeat("a", 63) + ".b",
	} {
		require.True(t, IsHost(host), host)
	}
	for kind, hosts := range map[string][]string{
		"nothing":       {"", ":", ":80", ".", "[]", "[]:80"},
		"a user":        {"user@evil.test", "user:pw@evil.example:80", "a:b@c", "@a", "a@"},
		"a port":        {"a:", "a:0", "a:080", "a:65536", "a:99999999", "a:-1", "a:+1", "a:1a", "a:1:2", "[::1]:", "[::1]:0", "[::1]80", "[::1]:65536"},
		"blanks":        {"a b", " a", "a ", "a\t", "a\r", "a\n", "a :80", "a: 80"},
		"other syntax":  {`a\b`, "a/b", "a?b", "a#b", "a%2eb", "a%00", `a"b`, "a'b", "a,b", "<a>", "a{b", "a;b", "a~b", "a*b", "*.a", "http://a"},
		"no IPv6":       {"::1", "[::1", "::1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[1.2.3.4]", "[a]", "[::g]", "x[::1]", "[::1]x", "[[::1]]"},
		"no labels":     {"a.", "a..b", ".a", "a.:80", "-a", "a-", "a.-b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"},
		"other scripts": {"가.test", "bücher.test", "a\u3002b", "\uff45vil.test", "a\u00adb", "\xff"},
		"other numbers": {"1", "1.2.3", "256.1.1.1", "01.2.3.4", "0x7f.1", "127.0x1", "2130706433", "1.2.3.4.5", "a.1", "99999999999999999999",
			"1.2.3.0x", "0x", "0X", "a.0x", "1.0XaF", "a.0x" + strings.Repeat("f", 61), "127.0.0.0x1"},
		"half addresses": {"1.2.3.4:", "1.2.3.4:x", "1.2.3.4."},
	} {
		for _, host := range hosts {
			require.False(t, IsHost(host), "%s: %q", kind, host)
		}
	}
}

func TestTheTargetOfARequestCountsMoreThanItsHostHeader(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ host, target, want string }{
		"the header":             {"Shop.test:8080", "/orders/", "shop.test:8080"},
		"a user in the header":   {"user:pw@evil.test", "/orders/", "user:pw@evil.test"},
		"the target":             {"other.test", "http://shop.test:81/orders/?a=http://b", "shop.test:81"},
		"a target without path":  {"other.test", "http://shop.test", "shop.test"},
		"a query with a URL":     {"shop.test", "/orders/?next=http://evil.test", "shop.test"},
		"a user in the target":   {"shop.test", "http://user@evil.test/", "user@evil.test"},
		"a target and no header": {"", "http://shop.test/", ""},
		"a target and nonsense":  {"a b", "http://shop.test/", ""},
	} {
		var header fasthttp.RequestHeader
		header.SetHost(test.host)
		header.SetRequestURI(test.target)
		require.Equal(t, test.want, host(&header), name)
	}
}

func FuzzHostThatCanBeShownHoldsNothingButAHost(f *testing.F) {
	for _, host := range []string{"shop.test:8080", "[::1]:80", "", "a/b", "a b", "a\"b", "a@b", "a%00", "가", "a:99999999", "1.2.3"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !IsHost(host) {
			return
		}
		require.Regexp(t, `^([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?$`, host)
		parsed, err := url.Parse("http://" + host + "/")
		require.NoError(t, err)
		require.Equal(t, host, parsed.Host)
		require.Nil(t, parsed.User)
	})
}
