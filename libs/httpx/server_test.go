package httpx_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
)

// server is an app that listens on a free port for the time of a test.
type server struct {
	addr    string
	logs    *logs
	metrics *prometheus.Registry
	stop    context.CancelFunc
	ended   <-chan error
}

// logs is what a server has logged.
type logs struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

func start(t *testing.T, change func(*httpx.Options), routes func(*fiber.App)) *server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return startOn(t, listener, change, routes)
}

func startOn(t *testing.T, listener net.Listener, change func(*httpx.Options), routes func(*fiber.App)) *server {
	t.Helper()
	return startToDrain(t, listener, httpx.Drain{}, change, routes)
}

func startToDrain(
	t *testing.T, listener net.Listener, drain httpx.Drain, change func(*httpx.Options), routes func(*fiber.App),
) *server {
	t.Helper()
	result := &server{addr: listener.Addr().String(), logs: &logs{}, metrics: prometheus.NewRegistry()}
	options := httpx.Options{
		Log: lifecycle.NewLogger(result.logs, "test", slog.LevelInfo), Metrics: result.metrics, Timeout: 30 * time.Second,
		ReadTimeout: 10 * time.Minute, // a busy machine must not cut off a client that the test lets wait
	}
	if change != nil {
		change(&options)
	}
	app := httpx.New(options)
	if routes != nil {
		routes(app)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- httpx.Serve(ctx, app, listener, drain) }()
	result.stop, result.ended = cancel, ended
	t.Cleanup(cancel)
	return result
}

// answer is what came back from a server.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), a.body)
	var problem map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &problem), a.body)
	require.InEpsilon(t, a.status, problem["status"], 0)
	require.Equal(t, http.StatusText(a.status), problem["title"])
	return problem
}

// do sends a request through net/http; header holds names and values in turn.
func (s *server) do(t *testing.T, method, target, body string, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+target, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	return readAnswer(t, response)
}

// raw sends text as it is, on a connection of its own, and reads one answer.
func (s *server) raw(t *testing.T, text string) answer {
	t.Helper()
	connection := s.send(t, text)
	defer connection.Close()
	method, _, _ := strings.Cut(text, " ")
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: method})
	require.NoError(t, err)
	return readAnswer(t, response)
}

func (s *server) send(t *testing.T, text string) net.Conn {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
	require.NoError(t, err)
	require.NoError(t, connection.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(connection, text)
	require.NoError(t, err)
	return connection
}

func readAnswer(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if response.Close {
		response.Header.Set("Connection", "close") // net/http has taken it away
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// gauge reads one of the server's metrics.
func (s *server) gauge(t *testing.T, name string) float64 {
	t.Helper()
	value, found := values(t, s.metrics)[name]
	require.True(t, found, name)
	return value
}
