package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
)

// askWith asks with headers and no token.
func askWith(t *testing.T, where addresses, method, path string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+where.public.String()+path, nil)
	require.NoError(t, err)
	request.Header = header
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response
}

func TestFloodFromOneAddressIsRefusedWhateverItHolds(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["RATE_LIMIT_ADDRESS"] = "1/20"
	where := startReady(t, n)
	refused := 0
	for i := range 40 {
		path, token := "/orders/", "no token at all"
		if i%2 == 0 {
			path = "/nowhere"
		}
		response, _ := ask(t, where, http.MethodGet, path, token)
		require.Contains(t, response.Header.Get("RateLimit-Policy"), `"address";q=20;w=20`)
		require.Contains(t, response.Header.Get("RateLimit"), `"address";r=`)
		if response.StatusCode == http.StatusTooManyRequests {
			refused++
			require.NotEmpty(t, response.Header.Get("Retry-After"))
			require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
		}
	}
	require.GreaterOrEqual(t, refused, 40-20-patienceInSeconds)
}

// patienceInSeconds is how many tokens a slow machine may gain during a test at one a second.
const patienceInSeconds = int(patience / time.Second / 2)

func TestRequestsThatCannotBeReadCountToo(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["RATE_LIMIT_ADDRESS"] = "1/30"
	where := startReady(t, n)
	for range 40 {
		converse(t, where, "GET\r\n\r\n")
	}
	response, _ := ask(t, where, http.MethodGet, "/nowhere", "")
	require.Equal(t, http.StatusTooManyRequests, response.StatusCode)
}

func TestMemberHasOneLimitForAllAddresses(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["RATE_LIMIT_MEMBER"], n.env["TRUSTED_PROXIES"] = "1/20", "127.0.0.0/8"
	where := startReady(t, n)
	refused := 0
	for i := range 40 {
		response := askWith(t, where, http.MethodGet, "/orders/", http.Header{
			"Authorization":   {"Token " + n.issuer.Token(t, 7, uint64(i)+1)},
			"X-Forwarded-For": {net.IPv4(203, 0, 113, byte(i)).String()},
		})
		require.Contains(t, response.Header.Get("RateLimit"), `"member";r=`)
		if response.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 40-20-patienceInSeconds)
	response, _ := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 8, 80))
	require.Equal(t, http.StatusOK, response.StatusCode, "another member")
}

func TestServiceLearnsTheAddressOfMembersAndOfAnonymousClients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ trusted, address, host, proto, prefix string }{
		"no proxy":        {"", "127.0.0.1", "", "http", ""},
		"a trusted proxy": {"127.0.0.1,::1", "203.0.113.5", "front.test", "https", "/api"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbours(t)
			n.env["TRUSTED_PROXIES"] = test.trusted
			n.accounts = func(w http.ResponseWriter, request *http.Request) {
				principal, err := n.verifiers["accounts"].Verify(request.Header.Get(assertion.Header))
				if err != nil {
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Address", principal.Address)
				w.Header().Set("Host-Seen", request.Header.Get("X-Forwarded-Host"))
				w.Header().Set("Proto", request.Header.Get("X-Forwarded-Proto"))
				w.Header().Set("Prefix", request.Header.Get("X-Forwarded-Prefix"))
			}
			where := startReady(t, n)
			for _, authorization := range []string{"", "Token " + n.issuer.Token(t, 7, 70)} {
				path, method := "/accounts/users", http.MethodGet
				if authorization == "" {
					path, method = "/auth/login", http.MethodPost
				}
				response := askWith(t, where, method, path, http.Header{
					"Authorization": {authorization}, "X-Forwarded-For": {"1.1.1.1, 203.0.113.5"},
					"X-Forwarded-Host": {"front.test"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Prefix": {"/api"},
				})
				require.Equal(t, http.StatusOK, response.StatusCode)
				require.Equal(t, test.address, response.Header.Get("Address"))
				require.Equal(t, test.proto, response.Header.Get("Proto"))
				require.Equal(t, test.prefix, response.Header.Get("Prefix"))
				if test.host != "" {
					require.Equal(t, test.host, response.Header.Get("Host-Seen"))
				}
			}
		})
	}
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["CONNECTIONS_PER_ADDRESS"], n.env["CORS_ALLOWED_ORIGINS"] = "3", "https://shop.test"
	where := startReady(t, n)
	var held []net.Conn
	for range 3 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", where.public.String())
		require.NoError(t, err)
		defer conn.Close()
		held = append(held, conn)
	}
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", where.public.String())
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(conn, "GET /nowhere HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.test\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		if answer.StatusCode != http.StatusTooManyRequests {
			return false
		}
		require.Equal(t, "1", answer.Header.Get("Retry-After"))
		require.Equal(t, "https://shop.test", answer.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "nosniff", answer.Header.Get("X-Content-Type-Options"))
		require.NotEmpty(t, answer.Header.Get("X-Request-Id"))
		return true
	}, patience, 10*time.Millisecond)
	require.NoError(t, held[0].Close())
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + where.public.String() + "/nowhere")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusNotFound
	}, patience, 10*time.Millisecond)
}

func TestPagesOfAllowedOriginsOnlyMayUseTheAPI(t *testing.T) {
	t.Parallel()
	const page = "https://shop.test"
	n := newNeighbours(t)
	n.env["CORS_ALLOWED_ORIGINS"] = page
	where := startReady(t, n)
	preflight := http.Header{"Origin": {page}, "Access-Control-Request-Method": {"DELETE"}}
	response := askWith(t, where, http.MethodOptions, "/orders/12", preflight)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Equal(t, page, response.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", response.Header.Get("Access-Control-Allow-Methods"))
	require.Equal(t, "Origin", response.Header.Get("Vary"))

	response = askWith(t, where, http.MethodGet, "/orders/12", http.Header{"Origin": {page}})
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, page, response.Header.Get("Access-Control-Allow-Origin"), "the page may read why")
	response = askWith(t, where, http.MethodGet, "/orders/12", http.Header{"Origin": {"https://evil.test"}})
	require.NotContains(t, response.Header, "Access-Control-Allow-Origin")

	closed := startReady(t, newNeighbours(t))
	response = askWith(t, closed, http.MethodOptions, "/orders/12", preflight)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.NotContains(t, response.Header, "Access-Control-Allow-Origin")
	encoded, err := json.Marshal(response.Header)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "Access-Control")
}
