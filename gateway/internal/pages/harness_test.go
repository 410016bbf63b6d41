package pages

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	api "oms.internal/gateway"
	"oms.internal/gateway/internal/browser"
	"oms.internal/gateway/internal/forwarded"
	"oms.internal/gateway/internal/router"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/httpx"
	"oms.internal/servers/testservers"
)

// served are pages behind the gateway's table and with its headers, on a port.
type served struct {
	url     string
	answers *fairshare.Pool[netip.Addr]
}

// ready is a part that is.
func ready(context.Context) error { return nil }

// serve serves the pages of the API's description, and believes this machine's forwarding headers.
func serve(t *testing.T, parts ...Part) served {
	t.Helper()
	answers := fairshare.NewPool[netip.Addr]("answers", 8<<20)
	all := New(Options{Description: api.Description, Parts: parts, Answers: answers, Now: time.Now})
	table, err := router.NewTable(router.Pages)
	require.NoError(t, err)
	// Nobody is asked who asks: all rows are public.
	requests := router.New(table, nil, nil, map[string]router.Forwarder{router.PagesService: all})
	var trusted forwarded.Proxies
	require.NoError(t, trusted.UnmarshalText([]byte("127.0.0.1")))
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute,
		First: []fiber.Handler{forwarded.Find(trusted)}, Decide: []fiber.Handler{requests.Decide}, EveryAnswer: browser.Policy{}.Complete,
	})
	app.Use(requests.Handle)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	testservers.Run(t, func(ctx context.Context) error { return httpx.Serve(ctx, app, listener, httpx.Drain{}) })
	return served{"http://" + listener.Addr().String(), answers}
}

// ask sends a request as it is, so that no library adds or reads encodings. header holds names and values in turn; a name of Host
// sets the host.
func (s served) ask(t *testing.T, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
			continue
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}
