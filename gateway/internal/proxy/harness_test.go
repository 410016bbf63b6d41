package proxy

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/httpx"
	"oms.internal/servers/testservers"
)

var asking = authn.Principal{MemberID: 7, SessionID: 70, Admin: true}

// proxied is a server that forwards all requests to one service.
type proxied struct {
	url      string
	verifier *assertion.Verifier
}

type setup struct {
	timeout  time.Duration
	required func(memberID uint64, sent consistency.Token) consistency.Token
	readers  []AnswerReader
	trusted  string // proxies, as in TRUSTED_PROXIES
	now      func() time.Time
	valid    func(context.Context) error
	answers  *Answers
	pause    func(context.Context, time.Duration)
}

// forwardTo forwards to a service with an instance at each of the addresses, which are separated by blanks.
func forwardTo(t *testing.T, upstreams string, with setup) proxied {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	var bases []*url.URL
	for upstream := range strings.FieldsSeq(upstreams) {
		base, err := url.Parse(upstream)
		require.NoError(t, err)
		bases = append(bases, base)
	}
	if with.timeout == 0 {
		with.timeout = 30 * time.Second
	}
	if with.required == nil {
		with.required = func(_ uint64, sent consistency.Token) consistency.Token { return sent }
	}
	if with.now == nil {
		with.now = time.Now
	}
	if with.valid == nil {
		with.valid = func(context.Context) error { return nil }
	}
	if with.answers == nil {
		with.answers = fairshare.NewPool[netip.Addr]("answers", 2*MaxAnswer)
	}
	instances := NewInstances("orders", bases, slog.New(slog.DiscardHandler), with.now)
	t.Cleanup(instances.CloseIdleConnections)
	service := NewService(Options{
		Name: "orders", Instances: instances, Signer: assertion.NewSigner(private, time.Now), Required: with.required, Readers: with.readers,
		Answers: with.answers, Pause: with.pause,
	})
	var trusted forwarded.Proxies
	require.NoError(t, trusted.UnmarshalText([]byte(with.trusted)))
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: with.timeout,
		First: []fiber.Handler{forwarded.Find(trusted)},
	})
	app.Use(func(c *fiber.Ctx) error { return service.Forward(c, asking, with.valid) })
	listener := listen(t)
	testservers.Run(t, func(ctx context.Context) error { return httpx.Serve(ctx, app, listener, httpx.Drain{}) })
	return proxied{
		url:      "http://" + listener.Addr().String(),
		verifier: assertion.NewVerifier(public, "orders", time.Now),
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

// upstream starts a service that answers as handle does.
func upstream(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server.URL
}

type answer struct {
	status int
	header http.Header
	body   string
}

// code is the fault that the answer reports.
func (a answer) code(t *testing.T) string {
	t.Helper()
	var problem struct{ Type string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &problem), a.body)
	return strings.TrimPrefix(problem.Type, "urn:oms:fault:")
}

// ask sends a request on a connection of its own.
func (p proxied) ask(t *testing.T, method, target, body string, header http.Header) answer {
	t.Helper()
	got, err := p.try(t.Context(), method, target, body, header)
	require.NoError(t, err)
	return got
}

// try is ask for goroutines, which cannot end the test, and for a machine that may be too busy to answer.
func (p proxied) try(ctx context.Context, method, target, body string, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.url+target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if header != nil {
		request.Header = header
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(content)}, err
}

// exchange sends bytes and waits until the gateway closes the connection.
func (p proxied) exchange(t *testing.T, text string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, conn)
	require.NoError(t, err)
}

// listenAt starts a service at an address that was in use before.
func listenAt(t *testing.T, address string, handle http.HandlerFunc) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handle}}
	server.Start()
	t.Cleanup(server.Close)
}
