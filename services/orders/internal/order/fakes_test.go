package order_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
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

// memory is order.Store in a map. It keeps what it was asked.
type memory struct {
	orders  map[uint64]order.Order
	failure error // what every write answers instead of writing
	writes  int   // attempts
	reads   []order.Freshness
	queries []order.Query
}

func (m *memory) CreateOrder(_ context.Context, created order.Order) (order.Order, error) {
	m.writes++
	if m.failure != nil {
		return order.Order{}, m.failure
	}
	for _, stored := range m.orders {
		if stored.OrderNumber == created.OrderNumber {
			return order.Order{}, order.ErrNumberTaken
		}
	}
	created.ID = uint64(len(m.orders) + 1)
	m.orders[created.ID] = created
	return created, nil
}

func (m *memory) Order(_ context.Context, id uint64) (order.Order, error) {
	found, ok := m.orders[id]
	if !ok {
		return order.Order{}, fault.NewNotFound()
	}
	return found, nil
}

func (m *memory) Orders(_ context.Context, query order.Query, freshness order.Freshness) ([]order.Order, int, error) {
	m.reads, m.queries = append(m.reads, freshness), append(m.queries, query)
	return []order.Order{m.orders[1]}, 1, nil
}

func (m *memory) LastOrders(_ context.Context, _ []uint64, freshness order.Freshness) ([]order.Order, error) {
	m.reads = append(m.reads, freshness)
	return []order.Order{m.orders[1]}, nil
}

func (m *memory) UpdateOrder(_ context.Context, id uint64, change func(*order.Order) error) (order.Order, error) {
	m.writes++
	changed, ok := m.orders[id]
	if !ok {
		return order.Order{}, fault.NewNotFound()
	}
	if err := change(&changed); err != nil {
		return order.Order{}, err
	}
	if m.failure != nil {
		return order.Order{}, m.failure
	}
	m.orders[id] = changed
	return changed, nil
}

func (m *memory) DeleteOrder(_ context.Context, id uint64, allowed func(order.Order) error) error {
	m.writes++
	found, ok := m.orders[id]
	if !ok {
		return fault.NewNotFound()
	}
	if err := allowed(found); err != nil {
		return err
	}
	if m.failure != nil {
		return m.failure
	}
	delete(m.orders, id)
	return nil
}

// accounts is order.Members with fixed answers. It keeps what it was asked.
type accounts struct {
	members   map[uint64]bool
	matches   [][]uint64
	truncated bool
	failure   error

	asked    []any
	patience []time.Duration
}

type matchQuestion struct {
	terms           []string
	among, readerID uint64
}

func (a *accounts) note(ctx context.Context, question any) {
	a.asked = append(a.asked, question)
	if deadline, bounded := ctx.Deadline(); bounded {
		a.patience = append(a.patience, time.Until(deadline))
	}
}

func (a *accounts) Exists(ctx context.Context, id uint64) (bool, error) {
	a.note(ctx, id)
	return a.members[id], a.failure
}

func (a *accounts) Match(ctx context.Context, terms []string, among, readerID uint64) ([][]uint64, bool, error) {
	a.note(ctx, matchQuestion{terms, among, readerID})
	return a.matches, a.truncated, a.failure
}

// writers is order.RecentWrites that forgets nothing.
type writers map[uint64]bool

func (w writers) Mark(memberID uint64)       { w[memberID] = true }
func (w writers) Wrote(memberID uint64) bool { return w[memberID] }

// now has a zone and nanoseconds, so that both show where they are not removed.
var now = time.Date(2026, 11, 23, 15, 36, 30, 511840999, time.FixedZone("KST", 9*60*60))

type world struct {
	*order.Service
	store    *memory
	accounts *accounts
	recent   writers
	numbers  []string // what the generator gives, in this order
}

// newWorld has the order 1 of owner and the members 1, 2 and 9.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		store:    &memory{orders: map[uint64]order.Order{1: firstOrder()}},
		accounts: &accounts{members: map[uint64]bool{ownerID: true, otherID: true, adminID: true}},
		recent:   writers{},
		numbers:  []string{"GENERATED001", "GENERATED002"},
	}
	w.Service = order.NewService(order.Dependencies{
		Store: w.store, Members: w.accounts, Recent: w.recent,
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
	return order.Order{ID: 1, CustomerID: ownerID, OrderNumber: "FIRST0000001", ProductName: "꼬막무침 🍤", PaidAt: now.UTC()}
}
