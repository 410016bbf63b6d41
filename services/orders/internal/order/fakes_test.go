package order_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

const (
	ownerID = 1
	otherID = 2
	adminID = 9
)

var (
	owner = authn.Principal{MemberID: ownerID, SessionID: 1}
	other = authn.Principal{MemberID: otherID, SessionID: 2}
	admin = authn.Principal{MemberID: adminID, SessionID: 3, Admin: true}
)

// memory is order.Store in maps. It keeps what it was asked.
type memory struct {
	orders   map[uint64]order.Order
	facts    []order.Fact
	answered map[order.IdempotentRequest]order.Order
	steps    []order.Step // of each timeline, after its beginning
	redacted [][3]uint64  // order, step and admin
	failure  error        // what every write answers instead of writing
	writes   int          // tries
	queries  []order.Query
	moved    *order.Order // what the order is once it was shown
}

func (m *memory) CreateOrder(_ context.Context, request order.IdempotentRequest, fact order.Fact) (order.Order, bool, error) {
	if stored, found := m.answered[request]; found {
		return stored, true, nil
	}
	m.writes++
	if m.failure != nil {
		m.writes--
		return order.Order{}, false, m.failure
	}
	for _, stored := range m.orders {
		if stored.OrderNumber == fact.Order.OrderNumber {
			return order.Order{}, false, order.ErrNumberTaken
		}
	}
	fact.Order.ID = uint64(len(m.orders) + 1)
	m.orders[fact.Order.ID] = fact.Order
	m.note(request, fact)
	return fact.Order, false, nil
}

// note keeps what a request did.
func (m *memory) note(request order.IdempotentRequest, fact order.Fact) {
	m.facts = append(m.facts, fact)
	if request.Key != "" {
		m.answered[request] = fact.Order
	}
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
	if m.moved != nil {
		m.orders[id] = *m.moved
	}
	return found, nil
}

func (m *memory) Orders(_ context.Context, query order.Query) (listing.Rows[order.Order], error) {
	m.queries = append(m.queries, query)
	return listing.Rows[order.Order]{Values: []order.Order{m.orders[1]}, Count: 1}, nil
}

func (m *memory) LastOrders(context.Context, []uint64) ([]order.Order, error) {
	return []order.Order{m.orders[1]}, nil
}

func (m *memory) Timeline(_ context.Context, id uint64) ([]order.Step, uint64, error) {
	found, ok := m.orders[id]
	if !ok {
		return nil, 0, fault.NewNotFound()
	}
	return append([]order.Step{{CustomerID: found.CustomerID, To: order.Paid}}, m.steps...), found.CustomerID, nil
}

func (m *memory) RedactNote(_ context.Context, orderID, stepID, adminID uint64) (uint64, error) {
	m.redacted = append(m.redacted, [3]uint64{orderID, stepID, adminID})
	return ownerID, m.failure
}

func (m *memory) ChangeOrder(
	_ context.Context, request order.IdempotentRequest, id uint64, decide func(order.Order) (order.Fact, error),
) (order.Order, bool, error) {
	if stored, found := m.answered[request]; found {
		return stored, true, nil
	}
	before, ok := m.orders[id]
	if !ok {
		return order.Order{}, false, fault.NewNotFound()
	}
	fact, err := decide(before)
	if err != nil || fact.Event == "" {
		return before, false, err
	}
	m.writes++
	if m.failure != nil {
		return order.Order{}, false, m.failure
	}
	if m.orders[id] = fact.Order; fact.Event == orders.EventDeleted {
		delete(m.orders, id)
	}
	m.note(request, fact)
	return fact.Order, false, nil
}

// accounts is order.Members with fixed answers. It keeps what it was asked.
type accounts struct {
	mutex     sync.Mutex
	members   map[uint64]order.Member
	matches   [][]uint64
	truncated bool
	failure   error

	asked    []any
	patience []time.Duration
}

type matchQuestion struct {
	terms []string
	among uint64
}

func (a *accounts) note(ctx context.Context, question any) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.asked = append(a.asked, question)
	if deadline, bounded := ctx.Deadline(); bounded {
		a.patience = append(a.patience, time.Until(deadline))
	}
}

func (a *accounts) Member(ctx context.Context, id uint64) (order.Member, error) {
	a.note(ctx, id)
	return a.members[id], a.failure
}

func (a *accounts) Match(ctx context.Context, terms []string, among uint64) ([][]uint64, bool, error) {
	a.note(ctx, matchQuestion{terms, among})
	return a.matches, a.truncated, a.failure
}

// condition is order.Condition that allows one version.
type condition uint64

func (c condition) Allows(version uint64) bool { return uint64(c) == version }

// once is a request that is not sent again.
var once order.IdempotentRequest

// unconditional is order.Condition that allows all.
type unconditional struct{}

func (unconditional) Allows(uint64) bool { return true }

// now has a zone and nanoseconds, so that both show where they are not removed.
var now = time.Date(2026, 11, 23, 15, 36, 30, 511840999, time.FixedZone("KST", 9*60*60))

type world struct {
	*order.Service
	store    *memory
	accounts *accounts
	numbers  []string // what the generator gives, in this order
}

// newWorld has the order 1 of owner and the members 1, 2 and 9.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		store: &memory{orders: map[uint64]order.Order{1: firstOrder()}, answered: map[order.IdempotentRequest]order.Order{}},
		accounts: &accounts{members: map[uint64]order.Member{
			ownerID: {Exists: true}, otherID: {Exists: true}, adminID: {Exists: true, Admin: true},
		}},
		numbers: []string{"GENERATED001", "GENERATED002"},
	}
	w.Service = order.NewService(order.Dependencies{
		Store: w.store, Members: w.accounts,
		NewNumber: func() (string, error) {
			if len(w.numbers) == 0 {
				return "", io.ErrUnexpectedEOF
			}
			number := w.numbers[0]
			w.numbers = w.numbers[1:]
			return number, nil
		},
		Now: func() time.Time { return now },
		Log: slog.New(slog.DiscardHandler),
	})
	return w
}

func firstOrder() order.Order {
	return order.Order{
		ID: 1, CustomerID: ownerID, OrderNumber: "FIRST0000001", ProductName: "꼬막무침 🍤", PaidAt: now.UTC(),
		State: order.Paid, Version: 1,
	}
}

// create makes an order without a key.
func (w *world) create(t *testing.T, caller authn.Principal, input order.Change) (order.Order, error) {
	t.Helper()
	return w.createIn(t.Context(), t, caller, input)
}

func (w *world) createIn(ctx context.Context, t *testing.T, caller authn.Principal, input order.Change) (order.Order, error) {
	t.Helper()
	created, replayed, err := w.Create(ctx, caller, input, once)
	require.False(t, replayed)
	return created, err
}
