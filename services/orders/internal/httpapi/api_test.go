package httpapi_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
	"oms.internal/orders/internal/httpapi"
	"oms.internal/orders/internal/order"
)

// memory is order.Store with the order 1 of member 1. It keeps nothing else than what these tests ask for.
type memory struct {
	order.Store
	orders     map[uint64]order.Order
	steps      []order.Step
	redacted   []uint64
	queries    []order.Query // for lists
	failsAfter int           // so many lists, unless 0
	answered   map[order.IdempotentRequest]order.Order
}

func (m *memory) keep(request order.IdempotentRequest, fact order.Fact) (order.Order, bool, error) {
	if m.orders[fact.Order.ID] = fact.Order; fact.Event == orders.EventDeleted {
		delete(m.orders, fact.Order.ID)
	}
	if request.Key != "" {
		m.answered[request] = fact.Order
	}
	return fact.Order, false, nil
}

func (m *memory) CreateOrder(_ context.Context, request order.IdempotentRequest, fact order.Fact) (order.Order, bool, error) {
	if kept, found := m.answered[request]; found {
		return kept, true, nil
	}
	fact.Order.ID = uint64(len(m.orders) + 1)
	return m.keep(request, fact)
}

func (m *memory) ChangeOrder(
	_ context.Context, request order.IdempotentRequest, id uint64, decide func(order.Order) (order.Fact, error),
) (order.Order, bool, error) {
	if kept, found := m.answered[request]; found {
		return kept, true, nil
	}
	if _, found := m.orders[id]; !found {
		return order.Order{}, false, fault.NewNotFound()
	}
	fact, err := decide(m.orders[id])
	if err != nil || fact.Event == "" {
		return m.orders[id], false, err
	}
	return m.keep(request, fact)
}

func (m *memory) Answered(_ context.Context, request order.IdempotentRequest) (order.Order, bool, error) {
	kept, found := m.answered[request]
	return kept, found, nil
}

func (m *memory) Order(_ context.Context, id uint64) (order.Order, error) {
	found, ok := m.orders[id]
	if !ok {
		return order.Order{}, fault.NewNotFound()
	}
	return found, nil
}

func (m *memory) Timeline(_ context.Context, id uint64) ([]order.Step, uint64, error) {
	return slices.Clone(m.steps), m.orders[id].CustomerID, nil
}

// RedactNote knows the step 5 of order 1.
func (m *memory) RedactNote(_ context.Context, orderID, stepID, _ uint64) (uint64, error) {
	if orderID != 1 || stepID != 5 {
		return 0, fault.NewNotFound()
	}
	m.redacted = append(m.redacted, stepID)
	return 1, nil
}

// members are the members 1, 2 and the admin 9.
type members struct{ order.Members }

func (members) Member(_ context.Context, id uint64) (order.Member, error) {
	return order.Member{Exists: id == 1 || id == 2 || id == 9, Admin: id == 9}, nil
}

var (
	now   = time.Date(2026, 11, 23, 6, 36, 30, 511840000, time.UTC)
	alice = authn.Principal{MemberID: 1, SessionID: 1}
	boss  = authn.Principal{MemberID: 9, SessionID: 9, Admin: true}
)

// world is the API without a process, on a store in memory.
type world struct {
	app    *fiber.App
	store  *memory
	signer *assertion.Signer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	w := &world{
		app: httpx.New(httpx.Options{Log: log, Metrics: prometheus.NewRegistry(), Timeout: time.Minute}),
		store: &memory{answered: map[order.IdempotentRequest]order.Order{}, orders: map[uint64]order.Order{1: {
			ID: 1, CustomerID: 1, OrderNumber: "FIRST0000001", ProductName: "꽃다발", PaidAt: now, State: order.Paid, Version: 1,
		}}},
		signer: assertion.NewSigner(private, time.Now),
	}
	service := order.NewService(order.Dependencies{
		Store: w.store, Members: members{}, NewNumber: order.NewNumber,
		Now: func() time.Time { return now }, Log: log,
	})
	httpapi.New(service, time.FixedZone("KST", 9*60*60)).Register(w.app, assertion.NewVerifier(public, orders.Service, time.Now),
		consistencyhttp.Handler(consistency.NewMemory(time.Now), func(consistency.Written) {}))
	return w
}

// inState brings the order 1 into a state.
func (w *world) inState(state order.State) *world {
	changed := w.store.orders[1]
	changed.State = state
	w.store.orders[1] = changed
	return w
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// send asks as the caller. headers are names and values in turn.
func (w *world) send(t *testing.T, caller authn.Principal, method, path, body string, headers ...string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	signed, err := w.signer.Sign(caller, orders.Service)
	require.NoError(t, err)
	request.Header.Set(assertion.Header, signed)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.app.Test(request, -1)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	got := answer{status: response.StatusCode, header: response.Header}
	if len(content) > 0 {
		require.NoError(t, json.Unmarshal(content, &got.body), string(content))
	}
	return got
}
