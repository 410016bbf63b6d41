package httpapi_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/orders/internal/httpapi"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

var (
	alice = ordertest.Owner // the customer of the order 1
	bob   = ordertest.Other
	boss  = ordertest.Admin
)

// paidAt is how answers show the time of the tests' orders.
const paidAt = "2026-11-23T15:36:30.511840+09:00"

// world is the API without a process, on a store in memory.
type world struct {
	*ordertest.World

	app       *fiber.App
	key       ed25519.PrivateKey // the gateway's
	published []consistency.Written
}

func newWorld(t *testing.T) *world {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	w := &world{
		World: ordertest.NewWorld(), key: private,
		app: httpx.New(httpx.Options{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute}),
	}
	api := httpapi.New(w.Service, time.FixedZone("KST", 9*60*60), prometheus.NewRegistry())
	api.Register(w.app, assertion.NewVerifier(public, orders.Service, time.Now),
		consistencyhttp.Handler(consistency.NewMemory(time.Now), func(written consistency.Written) { w.published = append(w.published, written) }))
	return w
}

// inState brings the order 1 into a state.
func (w *world) inState(state order.State) *world {
	changed := w.Store.Stored[1]
	changed.State = state
	w.Store.Stored[1] = changed
	return w
}

// requireUntouched demands that nothing was written.
func (w *world) requireUntouched(t *testing.T) {
	t.Helper()
	require.Empty(t, w.Store.Facts)
	require.Equal(t, map[uint64]order.Order{1: ordertest.FirstOrder()}, w.Store.Stored)
}

type answer struct {
	status int
	header http.Header
	text   string
}

// sign is the gateway's word for who asks.
func (w *world) sign(t *testing.T, caller authn.Principal) string {
	t.Helper()
	signed, err := assertion.NewSigner(w.key, time.Now).Sign(caller, orders.Service)
	require.NoError(t, err)
	return signed
}

// send asks as the caller. headers are names and values in turn; the content type is JSON unless they name one.
func (w *world) send(t *testing.T, caller authn.Principal, method, path, body string, headers ...string) answer {
	t.Helper()
	got, err := w.try(t, method, path, body, append([]string{assertion.Header, w.sign(t, caller)}, headers...)...)
	require.NoError(t, err)
	return got
}

// try is send with what the caller shows among the headers. Its error is that of an answer which breaks off.
func (w *world) try(t *testing.T, method, path, body string, headers ...string) (answer, error) {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.app.Test(request, -1)
	if err != nil {
		return answer{}, err
	}
	content, err := io.ReadAll(response.Body)
	require.NoError(t, response.Body.Close())
	return answer{status: response.StatusCode, header: response.Header, text: string(content)}, err
}

// body decodes the answer.
func (a answer) body(t *testing.T) map[string]any {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.text), &body), a.text)
	return body
}

// internals is what tells about SQL, servers and Go.
var internals = regexp.MustCompile(`(?i)sql|from orders|127\.0\.0\.1|localhost|nats|goroutine|\.go\b|strconv|json:|unmarshal|error \d{4}|invalid character|context deadline`)

// problem demands a refusal in its documented form that tells nothing of the inside, and decodes it.
func (a answer) problem(t *testing.T, status int) map[string]any {
	t.Helper()
	require.Equal(t, status, a.status, a.text)
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	problem := a.body(t)
	require.InDelta(t, status, problem["status"], 0)
	for _, name := range []string{"type", "title", "detail"} {
		require.NotEmpty(t, problem[name], a.text)
	}
	require.NotRegexp(t, internals, a.text)
	return problem
}

// requireField demands a refusal with this message for one field, and none for others.
func (a answer) requireField(t *testing.T, field, message string) {
	t.Helper()
	messages := map[string]any{}
	for name, value := range a.problem(t, http.StatusBadRequest) {
		if list, ok := value.([]any); ok {
			messages[name] = list
		}
	}
	require.Len(t, messages, 1, a.text)
	require.Contains(t, fmt.Sprint(messages[field]), message, a.text)
}
