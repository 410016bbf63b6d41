package httpx_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

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

// Not parallel: it looks at the memory of the whole process.
func TestBodiesThatNeverArriveDoNotTakeAllMemory(t *testing.T) {
	const clients = 2000
	server := start(t, nil, echo)
	before := heap()
	statuses := make(chan int, clients)
	waiting := make([]net.Conn, clients)
	for i := range waiting {
		waiting[i] = server.send(t, fmt.Sprintf(
			"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", httpx.BodyLimit, strings.Repeat("x", 100)))
		go func() {
			if response, err := http.ReadResponse(bufio.NewReaderSize(waiting[i], 512), nil); err == nil {
				statuses <- response.StatusCode
				_ = response.Body.Close()
			}
		}()
	}
	refused := clients - httpx.LargeBodiesForTest
	for range refused {
		require.Equal(t, http.StatusServiceUnavailable, <-statuses)
	}
	// Each body that is waited for has 64 KiB, 8 MiB in all; 2,000 would be 125 MiB.
	require.Less(t, heap()-before, 40.0)

	// Others are served meanwhile, but those with a large body.
	require.Equal(t, "4096", server.do(t, http.MethodPost, "/echo", strings.Repeat("x", 4096)).body)
	require.Equal(t, "3", server.raw(t, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").body)
	for name, request := range map[string]string{
		"announced": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4097\r\n\r\n" + strings.Repeat("x", 4097),
		"chunked":   "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n" + strings.Repeat("x", 4097) + "\r\n0\r\n\r\n",
	} {
		got := server.raw(t, request)
		require.Equal(t, http.StatusServiceUnavailable, got.status, name)
		require.Equal(t, "1", got.header.Get("Retry-After"), name)
		got.problem(t)
	}

	// Who leaves makes room.
	for _, connection := range waiting {
		require.NoError(t, connection.Close())
	}
	require.Eventually(t, func() bool {
		return server.do(t, http.MethodPost, "/echo", strings.Repeat("x", httpx.BodyLimit)).status == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
}

func TestLargeBodiesOneAfterTheOtherHaveRoom(t *testing.T) {
	t.Parallel()
	server := start(t, nil, echo)
	for range 3 * httpx.LargeBodiesForTest {
		require.Equal(t, http.StatusOK, server.do(t, http.MethodPost, "/echo", strings.Repeat("x", 8<<10)).status)
	}
}

func TestAPlaceThatNobodyGivesBackIsFreeAfterATime(t *testing.T) {
	t.Parallel()
	enter := httpx.RoomForTest(time.Minute)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for range httpx.LargeBodiesForTest {
		require.True(t, enter(now))
	}
	require.False(t, enter(now.Add(time.Minute)))
	require.True(t, enter(now.Add(time.Minute+time.Second)))
}
