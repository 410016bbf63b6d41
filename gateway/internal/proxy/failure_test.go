package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var writing = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func TestServiceThatIsDownAnswers503AtOnce(t *testing.T) {
	t.Parallel()
	for _, addresses := range []string{nobody(t), nobody(t) + " " + nobody(t)} {
		proxy := forwardTo(t, addresses, setup{})
		for _, method := range append([]string{http.MethodGet}, writing...) {
			reply := proxy.ask(t, method, "/orders/1", "{}", nil)
			require.Equal(t, http.StatusServiceUnavailable, reply.status, method)
			require.Equal(t, "unavailable", reply.code(t), "%s: nothing was sent", method)
			require.Equal(t, "1", reply.header.Get("Retry-After"))
			require.NotContains(t, reply.body, "127.0.0.1")
		}
	}
}

func TestServiceThatHangsAnswers504WithinTheLimit(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(http.ResponseWriter){
		"before the headers": func(http.ResponseWriter) {},
		"in the body": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "begin")
			w.(http.Flusher).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
				before(w)
				select {
				case <-ended:
				case <-request.Context().Done():
				}
			}), setup{timeout: 200 * time.Millisecond})
			t.Cleanup(func() { close(ended) })
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				reply := proxy.ask(t, method, "/orders/", "{}", nil)
				require.Equal(t, http.StatusGatewayTimeout, reply.status)
				require.Equal(t, "timeout", reply.code(t))
			}
		})
	}
}

// closer is a service that answers the first request of each connection and closes it when the second one has come.
type closer struct {
	listener net.Listener
	requests map[string]*atomic.Int32 // by method
}

func startCloser(t *testing.T) *closer {
	t.Helper()
	service := &closer{listener: listen(t), requests: map[string]*atomic.Int32{}}
	for _, method := range append([]string{http.MethodGet, http.MethodHead}, writing...) {
		service.requests[method] = &atomic.Int32{}
	}
	go func() {
		for {
			conn, err := service.listener.Accept()
			if err != nil {
				return
			}
			go service.serve(conn)
		}
	}()
	t.Cleanup(func() { _ = service.listener.Close() })
	return service
}

func (s *closer) serve(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for first := true; ; first = false {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		s.requests[request.Method].Add(1)
		if !first {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func TestWriteIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	for _, method := range writing {
		for name, body := range map[string]string{" with a body": "{}", " without a body": ""} {
			t.Run(method+name, func(t *testing.T) {
				t.Parallel()
				service := startCloser(t)
				proxy := forwardTo(t, "http://"+service.listener.Addr().String(), setup{})
				require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/", "", nil).status)
				// The kept connection is used, and breaks after the service has read the request.
				reply := proxy.ask(t, method, "/orders/1", body, http.Header{"Idempotency-Key": {"1"}})
				require.Equal(t, http.StatusServiceUnavailable, reply.status)
				require.Equal(t, "outcome_unknown", reply.code(t))
				require.Equal(t, "1", reply.header.Get("Retry-After"))
				require.Equal(t, int32(1), service.requests[method].Load())
			})
		}
	}
}

func TestReadIsSentAgainWhenTheServiceClosesAKeptConnection(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		service := startCloser(t)
		proxy := forwardTo(t, "http://"+service.listener.Addr().String(), setup{})
		for range 3 {
			require.Equal(t, http.StatusOK, proxy.ask(t, method, "/orders/", "", nil).status)
		}
	}
}

func TestServiceThatBreaksOffIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"before the headers": "",
		"in the headers":     "HTTP/1.1 200 OK\r\nContent-",
		"in the body":        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbegin",
		"with no HTTP":       "SSH-2.0-x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					_, _ = io.WriteString(conn, sent)
					_ = conn.Close()
				}
			}), setup{})
			for method, code := range map[string]string{http.MethodGet: "unavailable", http.MethodPost: "outcome_unknown"} {
				reply := proxy.ask(t, method, "/orders/", "{}", nil)
				require.Equal(t, http.StatusServiceUnavailable, reply.status)
				require.Equal(t, code, reply.code(t), method)
				require.NotEmpty(t, reply.header.Get("Retry-After"))
			}
		})
	}
}
