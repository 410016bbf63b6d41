package proxy

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fairshare"
)

// neverRead asks for an answer from a network, and reads nothing of it.
func (p proxied) neverRead(t *testing.T, method, network string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(descriptor uintptr) {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1)
		})
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, method+" /orders/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: "+network+"\r\n\r\n")
	require.NoError(t, err)
	return conn
}

func TestAnswersThatNobodyReadsTakeTheShareOfTheirNetworkOnly(t *testing.T) {
	t.Parallel()
	answers := fairshare.NewPool[netip.Addr]("answers", 4*MaxAnswer)
	body := strings.Repeat("x", MaxAnswer)
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery == "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		_, _ = io.WriteString(w, body)
	}), setup{trusted: "127.0.0.1", answers: answers})
	var slow []net.Conn
	for range 2 {
		slow = append(slow, proxy.neverRead(t, http.MethodGet, "203.0.113.5"))
	}
	require.Eventually(t, func() bool { return answers.Used() == 2*MaxAnswer }, time.Minute, time.Millisecond)

	from := func(method, target, network string) answer {
		return proxy.ask(t, method, target, "", http.Header{"X-Forwarded-For": {network}})
	}
	for _, target := range []string{"/orders/", "/orders/?of=unknown+size"} {
		refused := from(http.MethodGet, target, "203.0.113.5")
		require.Equal(t, "too_many_requests", refused.code(t), target)
		require.Equal(t, "1", refused.header.Get("Retry-After"), target)
		require.Equal(t, body, from(http.MethodGet, target, "203.0.113.6").body, "another network")
	}
	require.Equal(t, "outcome_unknown", from(http.MethodPost, "/orders/", "203.0.113.5").code(t), "it was made")
	require.Equal(t, http.StatusOK, from(http.MethodHead, "/orders/", "203.0.113.5").status, "no body")

	for _, conn := range slow {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return answers.Used() == 0 }, time.Minute, time.Millisecond, "who leaves gives back")
	require.Equal(t, body, from(http.MethodGet, "/orders/", "203.0.113.5").body)
}

func TestASmallAnswerIsGivenToThoseWhoseShareIsFullToo(t *testing.T) {
	t.Parallel()
	answers := fairshare.NewPool[netip.Addr]("answers", 2*MaxAnswer)
	require.NoError(t, answers.Take(netip.MustParseAddr("127.0.0.1"), MaxAnswer))
	small := strings.Repeat("x", smallAnswer)
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(small)))
		_, _ = io.WriteString(w, small)
	}), setup{answers: answers})
	require.Equal(t, small, proxy.ask(t, http.MethodGet, "/orders/", "", nil).body)
	require.Equal(t, MaxAnswer, answers.Used())
}
