package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// generator makes hostile requests from a seed: valid ones, broken at random. The same seed gives the same requests, but
// for the token and the id of the member that sends them.
type generator struct {
	random *rand.Rand
	own    member
}

func newGenerator(seed uint64) *generator {
	return &generator{random: rand.New(rand.NewPCG(seed, seed))}
}

// raw is a request as it goes onto the wire, so that it may be no request at all.
type raw struct{ text string }

// line returns the method and the target, as far as the text has them. Empty lines before a request, and a host before a path, do not count.
func (r raw) line() (method, target string) {
	line, _, _ := strings.Cut(strings.TrimLeft(r.text, "\r\n"), "\n")
	method, target, _ = strings.Cut(line, " ")
	target, _, _ = strings.Cut(target, " ")
	if _, rest, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		_, target, _ = strings.Cut(rest, "/")
		target = "/" + target
	}
	return method, target
}

func (g *generator) next() raw {
	method := pick(g, methods)
	path := g.path()
	body := g.body()
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: e2e.test\r\n", method, path)
	for _, header := range g.headers(len(body)) {
		head.WriteString(header + "\r\n")
	}
	head.WriteString("\r\n")
	text := head.String() + body
	if g.oneIn(12) {
		text = g.mutate(text)
	}
	return raw{text: text}
}

var methods = []string{
	http.MethodGet, http.MethodGet, http.MethodPost, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect, "BREW", "get", "G\x00T", "PROPFIND",
}

var paths = []string{
	"/accounts/users", "/accounts/users/%d", "/accounts/users/1", "/auth/login", "/auth/logout", "/auth/logoutall", "/auth/refresh",
	"/auth/sessions", "/auth/sessions/1", "/audit/events", "/orders", "/orders/", "/orders/1", "/orders/%d", "/.well-known/jwks.json",
	"/internal/revocations", "/metrics", "/readyz", "/", "*", "//orders/", "/orders/../accounts/users", "/orders/%%2e%%2e/accounts", "/orders;x=1",
	"http://127.0.0.1/orders/", "/orders/%%00", "/orders/%%ff", "/%%", "/accounts/users/%%31", "/ORDERS/",
}

var parameters = []string{"limit", "offset", "search", "ordering", "email", "name", "customer", "product_name", "member", "since", "after", "x"}

func (g *generator) path() string {
	path := pick(g, paths)
	if strings.Contains(path, "%d") {
		path = fmt.Sprintf(path, g.own.id)
	} else {
		path = strings.ReplaceAll(path, "%%", "%")
	}
	if g.oneIn(3) {
		return path
	}
	var query []string
	for range g.random.IntN(4) {
		value := url.QueryEscape(pick(g, values))
		if g.oneIn(6) {
			value = pick(g, []string{"%", "%zz", "%00", "%ff%fe", "%ed%a0%80", "+", "&&", "=", "%0d%0aX:1"})
		}
		query = append(query, pick(g, parameters)+"="+value)
	}
	return path + "?" + strings.Join(query, "&")
}

// values stand for what attackers and mistakes put into fields, as text.
var values = []string{
	"", "0", "-1", "1", "1e3", "1.5", "9223372036854775807", "9223372036854775808", "18446744073709551616", "NaN", "null", "true",
	"abc", "'", "\"", "' OR 1=1 --", "\\", "%", "_", "%%%%", "a,b c", strings.Repeat("a ", 30), strings.Repeat("x", 300), "-id,name,-email",
	"../../etc/passwd", "${jndi:ldap://x}", "{{7*7}}", "<script>", "가나다", "🍤", "\u202e", "a\x00b", "\ufffd", "ｓｅｌｅｃｔ", "İ", "ß",
	"0001-01-01T00:00:00Z", "2026-13-45", "sungi@e2e.test", "a@b", strings.Repeat("a", 90) + "@x.test",
}

// fragments stand for JSON values, right and wrong.
var fragments = []string{
	`null`, `true`, `0`, `-1`, `1.5`, `1e400`, `99999999999999999999999`, `""`, `" "`, `"abc"`, `"Jhlee'spwd0"`, `"가나"`, `"\u0000"`, `"\ud800"`,
	`"\udc00\ud800"`, `"\ud83c\udf64"`, `"\x"`, `[]`, `[1,[2,[3]]]`, `{}`, `{"a":{"b":[null]}}`, `NaN`, `'x'`, `"sungi@e2e.test"`, `"01083574364"`, `"M"`,
	`"Z"`, `"` + strings.Repeat("b", 200) + `"`, `"ABCDEFGHIJKL"`, `"\u202e"`,
}

var fields = []string{
	"email", "password", "current_password", "name", "nickname", "phone", "gender", "customer", "order_number", "product_name", "refresh_token",
	"is_admin", "is_active", "id", "paymented_at", "__proto__", "",
}

func (g *generator) body() string {
	switch g.random.IntN(8) {
	case 0:
		return ""
	case 1:
		return pick(g, []string{"{", "[", "{\"a\"", "nul", "\xff\xfe", strings.Repeat("[", 3000), strings.Repeat(`{"a":`, 2000), "{}{}", "\ufeff{}", "a=b&c=%zz"})
	}
	var members []string
	for range g.random.IntN(7) {
		members = append(members, fmt.Sprintf("%q:%s", pick(g, fields), pick(g, fragments)))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) headers(length int) []string {
	headers := []string{fmt.Sprintf("Content-Length: %d", length)}
	if g.oneIn(40) {
		headers[0] = pick(g, []string{"Content-Length: -1", "Content-Length: +5", "Content-Length: 99999999999", "Content-Length: 5, 6", "Content-Length:"})
	}
	headers = append(headers, "Content-Type: "+pick(g, []string{
		"application/json", "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ";", "",
	}))
	if !g.oneIn(3) {
		headers = append(headers, "Authorization: "+pick(g, []string{
			"Token " + g.own.token, "Token " + g.own.token, "Bearer " + g.own.token, "Token", "Token a b", "Basic eDp5", "Token " + g.mutate(g.own.token),
			"Token eyJhbGciOiJub25lIn0.e30.", "Token " + strings.Repeat("a", 5000),
		}))
	}
	for range g.random.IntN(3) {
		headers = append(headers, pick(g, []string{
			"Oms-Principal: " + g.own.token, "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: evil.test", "X-Request-Id: a\tb", "Connection: close, Oms-Principal",
			"Expect: 100-continue", "Content-Encoding: gzip", "Accept-Encoding: br", "Range: bytes=0-1", "Origin: https://evil.test", "If-Match: *",
			"X-HTTP-Method-Override: DELETE", "Transfer-Encoding: identity", "Upgrade: h2c", "Cookie: a=b", "X: " + strings.Repeat("y", 3000), "User-Agent: \xff\xfe",
			"Forwarded: for=1.1.1.1", "Host: other.test", "Te: trailers", "Idempotency-Key: x", ": empty", "no colon",
		}))
	}
	return headers
}

// mutate changes a few bytes of a text.
func (g *generator) mutate(text string) string {
	bytes := []byte(text)
	for range 1 + g.random.IntN(4) {
		if len(bytes) == 0 {
			break
		}
		at := g.random.IntN(len(bytes))
		switch g.random.IntN(3) {
		case 0:
			bytes[at] = byte(g.random.UintN(256))
		case 1:
			bytes = append(bytes[:at], bytes[at+1:]...)
		default:
			bytes = append(bytes[:at], append([]byte{byte(g.random.UintN(256))}, bytes[at:]...)...)
		}
	}
	return string(bytes)
}

func (g *generator) oneIn(n int) bool { return g.random.IntN(n) == 0 }

func pick[T any](g *generator, from []T) T { return from[g.random.IntN(len(from))] }
