package httpx_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// heap is what is in use, in MiB, once garbage is gone.
func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapInuse) / (1 << 20)
}

// bySource makes each address of this machine a client of its own.
func bySource(options *httpx.Options) {
	options.Client = func(address net.Addr) httpx.Client {
		return httpx.Client{Network: address.(*net.TCPAddr).AddrPort().Addr()}
	}
}

// from sends text from one of this machine's addresses.
func (s *server) from(t *testing.T, address, text string) net.Conn {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	connection, err := dialer.DialContext(t.Context(), "tcp", s.addr)
	require.NoError(t, err)
	require.NoError(t, connection.SetDeadline(time.Now().Add(time.Minute)))
	t.Cleanup(func() { _ = connection.Close() })
	_, err = io.WriteString(connection, text)
	require.NoError(t, err)
	return connection
}

func statusOn(t *testing.T, connection net.Conn) (status int, retryAfter string) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, response.Header.Get("Retry-After")
}

// Ways to hold memory without sending what one has announced, or before.
func halves() map[string]string {
	const post = "POST /echo HTTP/1.1\r\nHost: x\r\n"
	return map[string]string{
		"a head":          post,
		"a body":          post + fmt.Sprintf("Content-Length: %d\r\n\r\nx", httpx.BodyLimit),
		"a chunk":         post + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\nx", httpx.BodyLimit-1),
		"an expectation":  post + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", httpx.BodyLimit),
		"a second head":   "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + post,
		"a second body":   "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + post + fmt.Sprintf("Content-Length: %d\r\n\r\nx", httpx.BodyLimit),
		"what one awaits": post + fmt.Sprintf("Content-Length: %d\r\n\r\n", httpx.BodyLimit),
	}
}

// Not parallel: it looks at the memory of the whole process.
func TestRequestsThatNeverArriveTakeTheShareOfTheirNetworkOnly(t *testing.T) {
	const clients = 1000
	for name, half := range halves() {
		t.Run(name, func(t *testing.T) {
			server := start(t, bySource, echo)
			before := heap()
			for range clients {
				waiting := server.from(t, "127.0.0.2", half)
				go func() { _, _ = io.Copy(io.Discard, waiting) }()
			}
			// Others are served, whatever they send.
			for _, request := range []string{
				"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
				fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", httpx.BodyLimit, strings.Repeat("x", httpx.BodyLimit)),
				"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + strings.Repeat("x", 8192) + "\r\n0\r\n\r\n",
			} {
				status, _ := statusOn(t, server.from(t, "127.0.0.3", request))
				require.Equal(t, http.StatusOK, status)
			}
			// What the server has not answered yet holds memory for a moment, which is longer on a busy machine.
			require.EventuallyWithT(t, func(c *assert.CollectT) { assert.Less(c, heap()-before, 32.0) }, time.Minute, 50*time.Millisecond)
		})
	}
}

func TestWhoseShareIsFullHearsSoAndIsServedOnceOthersHaveLeft(t *testing.T) {
	t.Parallel()
	const places = httpx.ArrivingBytesForTest / 2 / httpx.BodyLimit
	server := start(t, func(options *httpx.Options) {
		bySource(options)
		options.Now = func() time.Time { return time.Unix(1_800_000_000, 0) } // nobody is waited for longer than a moment
	}, echo)
	waiting, refused := make([]net.Conn, places+8), make(chan string, places+8)
	for i := range waiting {
		waiting[i] = server.from(t, "127.0.0.2", halves()["a body"])
		go func() {
			if response, err := http.ReadResponse(bufio.NewReader(waiting[i]), nil); err == nil {
				refused <- fmt.Sprint(response.StatusCode, " ", response.Header.Get("Retry-After"))
				_ = response.Body.Close()
			}
		}()
	}
	for range 8 {
		require.Equal(t, "429 1", <-refused)
	}
	for _, connection := range waiting {
		require.NoError(t, connection.Close())
	}
	require.Eventually(t, func() bool {
		body := "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("x", httpx.BodyLimit)
		status, _ := statusOn(t, server.from(t, "127.0.0.2", body))
		return status == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
}

func TestAClientThatSendsNothingMakesRoomForTheNextOne(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo) // all are one client, as behind the gateway
	first := server.send(t, halves()["a body"])
	defer first.Close()
	hasMadeRoom := make(chan int, 1)
	go func() {
		if response, err := http.ReadResponse(bufio.NewReader(first), nil); err == nil {
			hasMadeRoom <- response.StatusCode
			_ = response.Body.Close()
		}
	}()
	for {
		other := server.send(t, halves()["a body"])
		defer other.Close()
		select {
		case status := <-hasMadeRoom:
			require.Equal(t, http.StatusServiceUnavailable, status)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestLargeBodiesOneAfterTheOtherHaveRoom(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for range 2 * httpx.ArrivingBytesForTest / httpx.BodyLimit {
		require.Equal(t, http.StatusOK, server.do(t, http.MethodPost, "/echo", strings.Repeat("x", httpx.BodyLimit)).status)
	}
	require.Eventually(t, func() bool { return server.gauge(t, "fairshare_used") == 0 }, time.Minute, time.Millisecond)
}
