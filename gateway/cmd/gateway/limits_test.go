package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The gateway's clock stands still in these tests, so that no request is earned back while they run.
func TestEveryRequestCountsForItsAddressAndForItsMember(t *testing.T) {
	t.Parallel()
	const burst = 20
	bearing := func(token string) []string { return []string{"Authorization: Token " + token} }
	for name, test := range map[string]struct {
		limit string
		line  func(i int) string
		more  func(n *neighbours, i int) []string
	}{
		"of an address, whatever it asks for and holds": {
			"address", func(i int) string {
				return []string{"GET /orders/ HTTP/1.1", "GET /nowhere HTTP/1.1", "GET / HTTP/1.1", "GET /assets/redoc.js HTTP/1.1"}[i%4]
			},
			func(*neighbours, int) []string { return bearing("no token at all") },
		},
		"of an address, where a request cannot be read": {
			"address", func(i int) string {
				if i < burst {
					return "GET"
				}
				return "GET /nowhere HTTP/1.1"
			},
			func(*neighbours, int) []string { return nil },
		},
		"of a member, from whatever address and session": {
			"member", func(int) string { return "GET /orders/ HTTP/1.1" },
			func(n *neighbours, i int) []string {
				return append(bearing(n.token(t, 7, uint64(i)+1)), fmt.Sprintf("X-Forwarded-For: 203.0.113.%d", i))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbours(t)
			n.env["RATE_LIMIT_"+strings.ToUpper(test.limit)] = fmt.Sprint("1/", burst)
			if test.limit == "member" {
				// Each request comes from an address of its own, if this proxy is believed.
				n.env["TRUSTED_PROXIES"], n.env["RATE_LIMIT_ADDRESS"] = "127.0.0.0/8", "1/1"
			}
			g := startReady(t, n)
			for i := range burst + 5 {
				answer := exchange(t, g.dial(t), lines(append([]string{test.line(i), "Host: a"}, test.more(n, i)...)...), "")
				require.Equal(t, i >= burst, answer.StatusCode == http.StatusTooManyRequests, "request %d: %d", i, answer.StatusCode)
				require.Contains(t, answer.Header.Get("RateLimit-Policy"), fmt.Sprintf(`"%s";q=%d;w=%d`, test.limit, burst, burst))
				require.Contains(t, answer.Header.Get("RateLimit"), fmt.Sprintf(`"%s";r=%d`, test.limit, max(0, burst-1-i)))
				if i >= burst {
					require.Equal(t, "1", answer.Header.Get("Retry-After"))
					require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
				}
			}
			if test.limit == "member" {
				response, _ := g.ask(t, http.MethodGet, "/orders/", n.token(t, 8, 80))
				require.Equal(t, http.StatusOK, response.StatusCode, "another member")
			}
		})
	}
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["CONNECTIONS_PER_ADDRESS"] = "3"
	g := startReady(t, n)
	request := lines("GET /nowhere HTTP/1.1", "Host: a")
	var held []interface{ Close() error }
	for range 3 {
		conn := g.dial(t)
		require.Equal(t, http.StatusNotFound, exchange(t, conn, request, "").StatusCode)
		held = append(held, conn)
	}
	refused := exchange(t, g.dial(t), request, "")
	require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
	require.Equal(t, "1", refused.Header.Get("Retry-After"))
	require.Equal(t, "nosniff", refused.Header.Get("X-Content-Type-Options"))
	require.NotEmpty(t, refused.Header.Get("X-Request-Id"))
	require.NoError(t, held[0].Close())
	require.Eventually(t, func() bool {
		return exchange(t, g.dial(t), request, "").StatusCode == http.StatusNotFound
	}, patience, 10*time.Millisecond)
}
