package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/servers/testservers"
)

const page = "https://shop.test"

// ambiguous is a request that servers read differently; libs/httpx tests all of its kind.
var ambiguous = lines("POST /auth/login HTTP/1.1", "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n"

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["ORDERS_URL"], n.env["CORS_ALLOWED_ORIGINS"] = "http://127.0.0.1:1", page
	g := startReady(t, n)
	token := "Authorization: Token " + n.token(t, 7, 70)
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"an answer of a service": {lines("GET /accounts/users HTTP/1.1", "Host: a", token), 200},
		"a service that is down": {lines("GET /orders/ HTTP/1.1", "Host: a", token), 503},
		"no token":               {lines("GET /accounts/users HTTP/1.1", "Host: a"), 401},
		"options":                {lines("OPTIONS /orders/ HTTP/1.1", "Host: a"), 204},
		"no such path":           {lines("GET /nowhere HTTP/1.1", "Host: a"), 404},
		"no such method":         {lines("BREW /auth/login HTTP/1.1", "Host: a"), 405},
		"a body too large":       {lines("POST /auth/login HTTP/1.1", "Host: a", "Content-Length: 99999999"), 413},
		"a compressed body":      {lines("POST /auth/login HTTP/1.1", "Host: a", "Content-Encoding: gzip", "Content-Length: 1") + "x", 415},
		"headers too large":      {lines("POST /auth/login HTTP/1.1", "Host: a", "X: "+strings.Repeat("x", 20_000)), 400},
		"what is no HTTP":        {lines("GET"), 400},
		"two readings":           {ambiguous, 400},
	} {
		// The page that asks is named in the second line.
		answer := exchange(t, g.dial(t), strings.Replace(test.request, "\r\n", "\r\nOrigin: "+page+"\r\n", 1), "")
		require.Equal(t, test.status, answer.StatusCode, name)
		require.Equal(t, []string{"no-store"}, answer.Header.Values("Cache-Control"), name)
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", answer.Header.Get("Content-Security-Policy"), name)
		require.Equal(t, page, answer.Header.Get("Access-Control-Allow-Origin"), name)
		require.NotEmpty(t, answer.Header.Get("X-Request-Id"), name)
		require.NotEmpty(t, answer.Header.Get("RateLimit-Policy"), name)
		require.NotContains(t, answer.Header, "Strict-Transport-Security", name)
		require.NotContains(t, answer.Header, "Server", name)
	}
}

func TestABodyIsAskedForOnlyOnceTheGatewayWouldPassItOn(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	asked := make(chan string, 10)
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		asked <- string(body)
		w.WriteHeader(http.StatusCreated)
	}
	n.env["RATE_LIMIT_MEMBER"] = "1/2"
	g := startReady(t, n)
	member, other := "Authorization: Token "+n.token(t, 7, 70), "Authorization: Token "+n.token(t, 8, 80)
	for _, test := range []struct {
		name, line string
		header     []string
		status     int
	}{
		{"no such path", "POST /nowhere", []string{member, "Content-Length: 3"}, 404},
		{"no token", "POST /orders/", []string{"Content-Length: 3"}, 401},
		{"a bad token", "POST /orders/", []string{"Authorization: Token x", "Content-Length: 3"}, 401},
		{"no such method", "DELETE /orders/", []string{other, "Content-Length: 3"}, 405},
		{"too large", "POST /orders/", []string{member, "Content-Length: 65537"}, 413},
		{"another expectation", "POST /orders/", []string{"Expect: tea", member, "Content-Length: 3"}, 417},
		{"wanted", "POST /orders/", []string{member, "Content-Length: 3"}, 201},
		{"wanted, the last of this member", "POST /orders/", []string{member, "Content-Length: 3"}, 201},
		{"over the member's limit", "POST /orders/", []string{member, "Content-Length: 3"}, 429},
	} {
		head := append([]string{test.line + " HTTP/1.1", "Host: a", "Expect: 100-continue"}, test.header...)
		answer := exchange(t, g.dial(t), lines(head...), "{}\n")
		require.Equal(t, test.status, answer.StatusCode, test.name)
		require.Len(t, answer.Header.Values("RateLimit"), 1, test.name)
		if test.status == http.StatusCreated {
			require.Equal(t, "{}\n", <-asked)
		}
	}
	require.Empty(t, asked)
}

func TestPublicPortSpeaksTLSWhereItIsConfigured(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	authority := testservers.NewAuthority(t)
	n.env["TLS_CERT_FILE"], n.env["TLS_KEY_FILE"] = authority.Issue(t, "127.0.0.1")
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("Proto", request.Header.Get("X-Forwarded-Proto"))
	}
	g := startReady(t, n) // which asks the admin port, without TLS
	trusted, err := os.ReadFile(authority.File)
	require.NoError(t, err)
	settings := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12, ServerName: "127.0.0.1"}
	require.True(t, settings.RootCAs.AppendCertsFromPEM(trusted))

	encrypted := func() net.Conn { return tls.Client(g.dial(t), settings) }
	answer := exchange(t, encrypted(), lines("GET /orders/ HTTP/1.1", "Host: a", "Authorization: Token "+n.token(t, 7, 70)), "")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "https", answer.Header.Get("Proto"))
	require.Equal(t, "max-age=31536000", answer.Header.Get("Strict-Transport-Security"))
	require.Equal(t, http.StatusBadRequest, exchange(t, encrypted(), ambiguous, "").StatusCode, "what is refused in the clear is refused here")

	old := settings.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	require.Error(t, tls.Client(g.dial(t), old).HandshakeContext(t.Context()), "no older version")
}

func TestCertificateThatCannotBeReadEndsTheStart(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	cert, _ := testservers.NewAuthority(t).Issue(t, "127.0.0.1")
	n.env["TLS_CERT_FILE"], n.env["TLS_KEY_FILE"] = cert, cert
	cfg, err := config.Load[Config](environ(n.env))
	require.NoError(t, err)
	err = run(t.Context(), cfg, lifecycle.NewLogger(io.Discard, "gateway", slog.LevelInfo), time.Now, func(addresses) {})
	require.ErrorContains(t, err, "TLS_CERT_FILE")
}
