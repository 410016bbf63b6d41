package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// accepted are the connections that a service has accepted.
type accepted struct {
	mutex sync.Mutex
	all   []net.Conn
}

func (a *accepted) note(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		a.all = append(a.all, conn)
	}
}

func (a *accepted) each(do func(net.Conn)) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, conn := range a.all {
		do(conn)
	}
	a.all = nil
}

func TestAConnectionThatTheServiceHasClosedOrSentSomethingOnBearsNoMoreRequests(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(net.Conn){
		"closed": func(conn net.Conn) { _ = conn.Close() },
		"reset": func(conn net.Conn) {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		},
		"spoken": func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 408 Request Timeout\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := listen(t)
			defer listener.Close()
			conn, err := dial(listener.Addr().String(), "", time.Minute)
			require.NoError(t, err)
			defer conn.Close()
			other, err := listener.Accept()
			require.NoError(t, err)
			defer other.Close()
			require.False(t, isClosed(conn))
			end(other)
			require.Eventually(t, func() bool { return isClosed(conn) }, time.Minute, time.Millisecond)
		})
	}
}

// TLS reads whole records, so what was sent too much is no longer in the kernel.
func TestAConnectionOfTLSOnWhichMoreCameThanWasReadBearsNoMoreRequests(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	listener := tls.NewListener(listen(t), &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12})
	defer listener.Close()
	for sent, closed := range map[string]bool{"a": false, "ab": true} {
		go func() {
			if other, err := listener.Accept(); err == nil {
				_, _ = io.WriteString(other, sent)
				_, _ = other.Read(make([]byte, 1))
			}
		}()
		plain, err := dial(listener.Addr().String(), "", time.Minute)
		require.NoError(t, err)
		defer plain.Close()
		roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		conn := tls.Client(plain, &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12})
		_, err = io.ReadFull(conn, make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, closed, isClosed(conn), sent)
	}
}

func TestAWriteIsSentOnAnotherConnectionIfTheServiceHasClosedThoseAtRest(t *testing.T) {
	t.Parallel()
	var conns accepted
	all := make(chan struct{})
	var waiting sync.WaitGroup
	server := newServer(t, func(_ http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodGet {
			waiting.Done()
			<-all
		}
	}, conns.note)
	proxy := forwardTo(t, server, setup{})
	const kept = 10
	waiting.Add(kept)
	var asked sync.WaitGroup
	for range kept {
		asked.Go(func() { _, _ = proxy.try(t.Context(), http.MethodGet, "/orders/", "", nil) })
	}
	waiting.Wait() // each of them has a connection of its own
	close(all)
	asked.Wait()
	conns.each(func(conn net.Conn) { _ = conn.Close() })
	for range 3 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodPost, "/orders/", "{}", nil).status)
	}
}

func TestConnectionsThatABurstHasOpenedRestWhereOneIsEnough(t *testing.T) {
	t.Parallel()
	const burst = 5
	var waiting sync.WaitGroup
	waiting.Add(burst)
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		if request.URL.RawQuery == "burst" {
			waiting.Done()
			waiting.Wait() // each of them has a connection of its own
		}
		_, _ = io.WriteString(w, request.RemoteAddr)
	}), setup{})
	var asked sync.WaitGroup
	for range burst {
		asked.Go(func() { _, _ = proxy.try(t.Context(), http.MethodGet, "/orders/?burst", "", nil) })
	}
	asked.Wait()
	used := map[string]bool{}
	for range 2 * burst {
		used[proxy.ask(t, http.MethodGet, "/orders/", "", nil).body] = true
	}
	require.Len(t, used, 1)
}

func TestAHeadOfAnyAllowedSizeIsRead(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		var size int
		_, _ = fmt.Sscan(request.URL.Query().Get("size"), &size)
		w.Header().Set("X-Long", strings.Repeat("x", size))
		_, _ = io.WriteString(w, "body")
	}), setup{})
	for _, size := range []int{1, connBufferSize - 150, connBufferSize, 3 * connBufferSize, headerLimit - 1000} {
		for range 2 {
			reply := proxy.ask(t, http.MethodGet, fmt.Sprintf("/orders/?size=%d", size), "", nil)
			require.Equal(t, http.StatusOK, reply.status)
			require.Len(t, reply.header.Get("X-Long"), size)
			require.Equal(t, "body", reply.body)
		}
	}
	require.Equal(t, http.StatusServiceUnavailable, proxy.ask(t, http.MethodGet, fmt.Sprintf("/orders/?size=%d", headerLimit), "", nil).status)
}

func TestABodyInChunksIsReadWholeAndItsConnectionUsedAgain(t *testing.T) {
	t.Parallel()
	var conns accepted
	proxy := forwardTo(t, newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-After")
		for range 3 {
			_, _ = io.WriteString(w, "piece ")
			w.(http.Flusher).Flush()
		}
		w.Header().Set("X-After", "1")
	}, conns.note), setup{})
	for range 5 {
		require.Equal(t, "piece piece piece ", proxy.ask(t, http.MethodGet, "/orders/", "", nil).body)
	}
	require.Len(t, conns.all, 1)
}

func TestAnInformationalAnswerIsNotTheAnswer(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "body")
	}), setup{})
	reply := proxy.ask(t, http.MethodPost, "/orders/", "{}", nil)
	require.Equal(t, http.StatusCreated, reply.status)
	require.Equal(t, "body", reply.body)
}

func TestRequestsBeyondTheConnectionsOfAnInstanceWaitForOne(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	arrived := make(chan struct{}, 2*connections)
	address := upstream(t, func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	proxy := forwardTo(t, address, setup{})
	statuses := make(chan int, connections+5)
	for range cap(statuses) {
		go func() {
			reply, _ := proxy.try(t.Context(), http.MethodPost, "/orders/", "{}", nil)
			statuses <- reply.status
		}()
	}
	for range connections {
		<-arrived
	}
	require.Empty(t, arrived)
	close(release)
	for range cap(statuses) {
		require.Equal(t, http.StatusOK, <-statuses)
	}
}

// newServer starts a service that answers as handle does, and tells of its connections.
func newServer(t *testing.T, handle http.HandlerFunc, state func(net.Conn, http.ConnState)) string {
	t.Helper()
	listener := listen(t)
	server := &http.Server{Handler: handle, ConnState: state, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return (&url.URL{Scheme: "http", Host: listener.Addr().String()}).String()
}
