package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
)

// hostile is a service that speaks bytes. What it still owes of an answer comes on the same connection, when the next request is there.
type hostile struct {
	url string
	// now and later are what the first request of a connection is answered. Others are answered their query.
	now, later string
	asked      atomic.Int32
}

func startHostile(t *testing.T, now, later string) *hostile {
	t.Helper()
	listener := listen(t)
	service := &hostile{url: "http://" + listener.Addr().String(), now: now, later: later}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			serving.Go(func() { service.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close() })
	return service
}

func (h *hostile) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	owed := ""
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		h.asked.Add(1)
		if request.URL.RawQuery == "hostile" {
			_, _ = io.WriteString(conn, h.now)
			owed = h.later
			continue
		}
		_, _ = fmt.Fprintf(conn, "%sHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", owed, len(request.URL.RawQuery), request.URL.RawQuery)
		owed = ""
	}
}

func TestNoRequestGetsAnythingOfTheAnswerToAnother(t *testing.T) {
	t.Parallel()
	const other = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nothers"
	for name, test := range map[string]struct {
		method, now, later string
		status             int
	}{
		"two answers":                  {http.MethodGet, other + other, "", http.StatusOK},
		"longer than it says":          {http.MethodGet, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx" + other, "", http.StatusOK},
		"two lengths":                  {http.MethodGet, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", other, http.StatusServiceUnavailable},
		"chunks and a length":          {http.MethodGet, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + other, "", http.StatusOK},
		"something after its chunks":   {http.MethodGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n" + other, "", http.StatusOK},
		"chunks that are none":         {http.MethodGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n" + other, other, http.StatusServiceUnavailable},
		"chunks twice":                 {http.MethodGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", other, http.StatusServiceUnavailable},
		"encoded in an unknown way":    {http.MethodGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", other, http.StatusServiceUnavailable},
		"204 with a body":              {http.MethodDelete, "HTTP/1.1 204 No Content\r\n\r\n" + other, "", http.StatusNoContent},
		"204 that announces a body":    {http.MethodDelete, "HTTP/1.1 204 No Content\r\nContent-Length: 44\r\n\r\n", other, http.StatusNoContent},
		"204 that announces chunks":    {http.MethodDelete, "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n", http.StatusNoContent},
		"304 with a body":              {http.MethodGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 44\r\n\r\n" + other, "", http.StatusNotModified},
		"HEAD with a body":             {http.MethodHead, other, "", http.StatusOK},
		"another protocol":             {http.MethodGet, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n", other, http.StatusServiceUnavailable},
		"no status":                    {http.MethodGet, "HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n", other, http.StatusServiceUnavailable},
		"hints without end":            {http.MethodGet, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000), other, http.StatusServiceUnavailable},
		"a head beyond the limit":      {http.MethodGet, "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*headerLimit) + "\r\n\r\n", other, http.StatusServiceUnavailable},
		"a large head and two answers": {http.MethodGet, "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*connBufferSize) + "\r\nContent-Length: 0\r\n\r\n" + other, "", http.StatusOK},
		"hints and a large head":       {http.MethodGet, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*connBufferSize) + "\r\nContent-Length: 0\r\n\r\n" + other, "", http.StatusOK},
		"a body that is too large":     {http.MethodGet, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", MaxAnswer+1), other, http.StatusInternalServerError},
		"late":                         {http.MethodGet, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", other, http.StatusGatewayTimeout},
		"late from the start":          {http.MethodPost, "", other, http.StatusGatewayTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := startHostile(t, test.now, test.later)
			with := setup{}
			if test.status == http.StatusGatewayTimeout {
				with.timeout = 300 * time.Millisecond
			}
			proxy := forwardTo(t, service.url, with)
			for i := range 3 {
				require.Equal(t, test.status, proxy.ask(t, test.method, "/orders/?hostile", "", nil).status)
				for _, method := range []string{http.MethodPost, http.MethodGet} {
					own := fmt.Sprintf("%s-%d", method, i)
					require.Equal(t, own, proxy.ask(t, method, "/orders/?"+own, "", nil).body)
				}
			}
		})
	}
}

func TestAReadWhoseAnswerCannotBeReadIsNotSentAgainOnEachConnectionAtRest(t *testing.T) {
	t.Parallel()
	const kept = 5
	var waiting sync.WaitGroup
	waiting.Add(kept)
	var asked atomic.Int32
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery == "" {
			waiting.Done()
			waiting.Wait()
			return
		}
		asked.Add(1)
		w.Header().Set("X-Long", strings.Repeat("x", headerLimit))
	}), setup{})
	var all sync.WaitGroup
	for range kept {
		all.Go(func() { _, _ = proxy.try(t.Context(), http.MethodGet, "/orders/", "", nil) })
	}
	all.Wait()
	require.Equal(t, http.StatusServiceUnavailable, proxy.ask(t, http.MethodGet, "/orders/?long", "", nil).status)
	require.Equal(t, int32(1), asked.Load())
}

// A service may refuse a request by its head. Its kernel takes only the beginning of the body then.
func TestAnAnswerThatComesBeforeTheWholeRequestWasSentIsPassedOn(t *testing.T) {
	t.Parallel()
	small := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(descriptor uintptr) {
			_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1)
		})
	}}
	listener, err := small.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReaderSize(conn, 16).ReadByte()
			// It says that it closes. A slow one might else be sent the next request before it does so.
			_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nshort")
			_ = conn.Close()
		}
	}()
	proxy := forwardTo(t, "http://"+listener.Addr().String(), setup{})
	for range 5 {
		reply := proxy.ask(t, http.MethodPost, "/orders/", strings.Repeat("x", 60<<10), nil)
		require.Equal(t, http.StatusRequestEntityTooLarge, reply.status)
		require.Equal(t, "short", reply.body)
	}
}

func TestAConnectionThatRestedForLongerThanItsLastRequestMayTakeIsUsedAgain(t *testing.T) {
	t.Parallel()
	var conns accepted
	address := newServer(t, func(http.ResponseWriter, *http.Request) {}, conns.note)
	base, err := url.Parse(address)
	require.NoError(t, err)
	instance := newClient(base)
	for range 3 {
		request := fasthttp.AcquireRequest()
		request.SetRequestURI("/orders/")
		answer, err := instance.ask(request, time.Now().Add(time.Minute))
		require.NoError(t, err)
		_, err = answer.readBody()
		require.NoError(t, err)
		require.NoError(t, answer.conn.SetDeadline(time.Unix(1, 0)), "as if that minute were over")
		answer.Close()
	}
	require.Len(t, conns.all, 1)
}

func TestNoConnectionIsWaitedForLongerThanItsRequestMayTake(t *testing.T) {
	t.Parallel()
	listener := listen(t) // the kernel connects, and nobody answers a handshake
	defer listener.Close()
	address := "http://" + listener.Addr().String()
	base, err := url.Parse(address)
	require.NoError(t, err)
	_, err = newClient(base).connections.AcquireConn(time.Nanosecond, false)
	require.True(t, isTimeout(err), "%v", err)
	_, err = dial(listener.Addr().String(), "", time.Minute)
	require.NoError(t, err)
	_, err = dial(listener.Addr().String(), "accounts.test", time.Millisecond)
	require.True(t, isTimeout(err), "%v", err)
}

func TestAnInstanceIsAskedOverTLSOnlyIfItsCertificateIsGood(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	defer listener.Close()
	first := make(chan byte, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		got, _ := bufio.NewReader(conn).ReadByte()
		first <- got
	}()
	proxy := forwardTo(t, "https://"+listener.Addr().String(), setup{})
	require.Equal(t, "unavailable", proxy.ask(t, http.MethodPost, "/orders/", "{}", nil).code(t))
	const handshake = 22
	require.Equal(t, byte(handshake), <-first, "nothing of the request")
}

func TestAnswersThatAreNotPassedOnGiveTheirConnectionsBack(t *testing.T) {
	t.Parallel()
	stream := func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery == "last" {
			return
		}
		w.Header().Set(httpx.HeaderStream, "1")
		w.Header().Set("X-Readable", "no")
		_ = http.NewResponseController(w).Flush()
		<-request.Context().Done()
	}
	panics := func(_ authn.Principal, answer *fasthttp.ResponseHeader) error {
		if len(answer.Peek("X-Readable")) > 0 {
			panic("unforeseen")
		}
		return nil
	}
	for name, test := range map[string]struct {
		readers  []AnswerReader
		protocol string
	}{
		"streams to clients of HTTP/1.0, who cannot have them": {nil, "HTTP/1.0"},
		"answers that make the gateway panic":                  {[]AnswerReader{panics}, "HTTP/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := forwardTo(t, upstream(t, stream), setup{readers: test.readers})
			for range connections {
				proxy.exchange(t, "GET /orders/export "+test.protocol+"\r\nHost: a\r\nConnection: close\r\n\r\n")
			}
			require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/?last", "", nil).status)
		})
	}
}

func TestAQuestionOfTheGatewayItselfFailsIfItsAnswerBreaksOff(t *testing.T) {
	t.Parallel()
	service := startHostile(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "")
	base, err := url.Parse(service.url)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, service.url+"/keys?hostile", nil)
	require.NoError(t, err)
	response, err := NewInstances("accounts", []*url.URL{base}, nil, time.Now).RoundTrip(request)
	require.ErrorContains(t, err, "chunk")
	require.Nil(t, response)
}
