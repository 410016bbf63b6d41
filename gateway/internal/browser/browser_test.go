package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unreadable are requests that no handler sees, without the end of their first line's head: a test puts headers in.
var unreadable = map[string]struct {
	before, after string
	status        int
	stalls        bool // whether the client waits in the middle
}{
	"a head too large behind the Origin": {"GET /orders/ HTTP/1.1\r\nHost: a\r\n", "X: " + strings.Repeat("x", 20_000) + "\r\n\r\n", 400, false},
	"a head too large before the Origin": {
		"GET /orders/ HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n", "\r\n", 400, false,
	},
	"a URL too long":                {"GET /" + strings.Repeat("x", 20_000) + " HTTP/1.1\r\nHost: a\r\n", "\r\n", 400, false},
	"two lengths":                   {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, false},
	"length and chunks":             {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, false},
	"a bare LF":                     {"GET /orders/ HTTP/1.1\nHost: a\r\n", "\r\n", 400, false},
	"a header that is none":         {"GET /orders/ HTTP/1.1\r\nHost: a\r\n", "nothing\r\n\r\n", 400, false},
	"a body too large":              {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Content-Length: 99999999\r\n\r\n", 413, false},
	"chunks too large":              {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Transfer-Encoding: chunked\r\n\r\nfffff\r\n", 413, false},
	"broken chunks":                 {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, false},
	"a body that does not come":     {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Content-Length: 10\r\n\r\nx", 400, true},
	"chunks that do not come":       {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Transfer-Encoding: chunked\r\n\r\n", 400, true},
	"a head that does not come":     {"GET /orders/ HTTP/1.1\r\nHost: a\r\n", "X: ", 400, true},
	"an unknown expectation":        {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Expect: tea\r\nContent-Length: 10\r\n\r\n", 417, false},
	"a promised body, too large":    {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413, false},
	"a version that nobody speaks":  {"GET /orders/ HTTP/9.9\r\nHost: a\r\n", "\r\n", 400, false},
	"a method that nobody knows":    {"BREW /orders/ HTTP/1.1\r\nHost: a\r\n", "\r\n", 405, false},
	"a path that does not exist":    {"GET /nowhere HTTP/1.1\r\nHost: a\r\n", "\r\n", 404, false},
	"a compressed body":             {"POST /orders/ HTTP/1.1\r\nHost: a\r\n", "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415, false},
	"a URL that is not valid UTF-8": {"GET /%ff HTTP/1.1\r\nHost: a\r\n", "\r\n", 400, false},
}

func TestEveryAnswerTellsBrowsersThatItIsDataOnly(t *testing.T) {
	t.Parallel()
	address := serve(t, Policy{TLS: true}, stallTime)
	requests := map[string]string{
		"from a handler":  "GET /orders/ HTTP/1.1\r\nHost: a\r\n\r\n",
		"what is no HTTP": "GET\r\n\r\n",
	}
	for name, request := range unreadable {
		requests[name] = request.before + request.after
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, header := ask(t, address, request)
			for _, field := range securityHeaders {
				require.Equal(t, []string{field.value}, header.Values(field.name), field.name)
			}
			require.Equal(t, "max-age=31536000", header.Get("Strict-Transport-Security"))
		})
	}
}

func TestAnAnswerMayBeKeptIfItsHandlerSaysSo(t *testing.T) {
	t.Parallel()
	_, header := ask(t, serve(t, Policy{}, patience), "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
	require.Equal(t, []string{"public, max-age=60"}, header.Values("Cache-Control"))
	require.NotContains(t, header, "Strict-Transport-Security")
}

func TestNoProxyMayMakeAnotherTagOfAnAnswersETag(t *testing.T) {
	t.Parallel()
	address := serve(t, Policy{}, patience)
	for set, want := range map[string]string{
		"-": "no-store, no-transform", "private": "private, no-transform", "no-transform,private": "no-transform,private",
	} {
		status, header := ask(t, address, "GET /tagged/"+set+" HTTP/1.1\r\nHost: a\r\n\r\n")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, []string{want}, header.Values("Cache-Control"))
	}
}

func TestAPageOfAnAllowedOriginCanReadEveryRefusal(t *testing.T) {
	t.Parallel()
	patient := map[string]string{}
	for _, allowed := range []string{page, "https://other.test," + page, "*"} {
		patient[allowed] = serve(t, Policy{Origins: origins(t, allowed)}, patience)
	}
	impatient := map[string]string{page: serve(t, Policy{Origins: origins(t, page)}, stallTime)}
	for name, request := range unreadable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addresses := patient
			if request.stalls {
				addresses = impatient
			}
			for allowed, address := range addresses {
				status, header := ask(t, address, request.before+"oRiGiN:  "+page+" \r\n"+request.after)
				require.Equal(t, request.status, status)
				want := page
				if allowed == "*" {
					want = "*"
				}
				require.Equal(t, []string{want}, header.Values("Access-Control-Allow-Origin"), allowed)
				require.Contains(t, header.Get("Access-Control-Expose-Headers"), "Retry-After", allowed)
				require.Equal(t, allowed != "*", header.Get("Vary") == "Origin", allowed)

				_, header = ask(t, address, request.before+"Origin: https://evil.test\r\nX-Origin: "+page+"\r\n"+request.after)
				require.Equal(t, allowed == "*", header.Get("Access-Control-Allow-Origin") != "", allowed)
			}
		})
	}
}

func TestTheOriginOfOneRequestIsNotThatOfTheNextOnItsConnection(t *testing.T) {
	t.Parallel()
	address := serve(t, Policy{Origins: origins(t, page)}, patience)
	_, header := ask(t, address, "GET /orders/ HTTP/1.1\r\nHost: a\r\nOrigin: "+page+"\r\n\r\n")
	require.Equal(t, page, header.Get("Access-Control-Allow-Origin"))
	second := askSecond(t, address, "GET /orders/ HTTP/1.1\r\nHost: a\r\nOrigin: "+page+"\r\n\r\n", "GET\r\n\r\n")
	require.NotContains(t, second, "Access-Control-Allow-Origin")
	second = askSecond(t, address, "GET /orders/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET\r\nOrigin: "+page+"\r\n\r\n")
	require.Equal(t, page, second.Get("Access-Control-Allow-Origin"))
}
