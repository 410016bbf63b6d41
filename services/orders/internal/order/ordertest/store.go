package ordertest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"oms.internal/libs/audit"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listingtest"
	"oms.internal/orders/internal/order"
)

// Written is the token of every write.
const Written consistency.Token = 300

// Store is order.Store in maps. It keeps what it was asked. It is not safe for concurrent use.
type Store struct {
	Stored   map[uint64]order.Order
	Facts    []order.Fact
	Answers  map[order.IdempotentRequest]order.Order
	Steps    []order.Step // of every timeline
	Redacted [][3]uint64  // order, step and admin
	Queries  []order.Query
	Audited  []audit.Event
	After    consistency.Token // what the latest read of one order or of a list had to see
	Writes   int               // tries
	// Moved, where it is there, is what an order is once it was shown.
	Moved *order.Order
	// Failure is what every write answers instead of writing, and every list after FailsAfter lists.
	Failure    error
	FailsAfter int
}

// CreateOrder stores an order under the next id.
func (s *Store) CreateOrder(ctx context.Context, request order.IdempotentRequest, fact order.Fact) (order.Order, bool, error) {
	if kept, found, err := s.Answered(ctx, request); found || err != nil {
		return kept, found, err
	}
	if s.Failure != nil {
		return order.Order{}, false, s.Failure
	}
	s.Writes++
	for _, stored := range s.Stored {
		if stored.OrderNumber == fact.Order.OrderNumber {
			return order.Order{}, false, order.ErrNumberTaken
		}
	}
	fact.Order.ID = uint64(len(s.Stored) + 1)
	s.keep(ctx, request, fact)
	return fact.Order, false, nil
}

// ChangeOrder stores what decide makes of an order.
func (s *Store) ChangeOrder(
	ctx context.Context, request order.IdempotentRequest, id uint64, decide func(order.Order) (order.Fact, error),
) (order.Order, bool, error) {
	if kept, found, err := s.Answered(ctx, request); found || err != nil {
		return kept, found, err
	}
	before, found := s.Stored[id]
	if !found {
		return order.Order{}, false, fault.NewNotFound()
	}
	fact, err := decide(before)
	if err != nil || fact.Event == "" {
		return before, false, err
	}
	s.Writes++
	if s.Failure != nil {
		return order.Order{}, false, s.Failure
	}
	s.keep(ctx, request, fact)
	return fact.Order, false, nil
}

func (s *Store) keep(ctx context.Context, request order.IdempotentRequest, fact order.Fact) {
	if s.Stored[fact.Order.ID] = fact.Order; fact.Event == orders.EventDeleted {
		delete(s.Stored, fact.Order.ID)
	}
	s.Facts = append(s.Facts, fact)
	if request.Key != "" {
		s.Answers[request] = fact.Order
	}
	consistency.Wrote(ctx, Written)
}

// Answered refuses a key that was used for something else.
func (s *Store) Answered(_ context.Context, request order.IdempotentRequest) (order.Order, bool, error) {
	for known, kept := range s.Answers {
		if known.CallerID == request.CallerID && known.Key == request.Key {
			if known == request {
				return kept, true, nil
			}
			return order.Order{}, false, fault.New(fault.KeyReused, "It is another request.", nil)
		}
	}
	return order.Order{}, false, nil
}

// Order returns what is stored.
func (s *Store) Order(ctx context.Context, id uint64) (order.Order, error) {
	s.After = consistency.After(ctx)
	found, ok := s.Stored[id]
	if !ok {
		return order.Order{}, fault.NewNotFound()
	}
	if s.Moved != nil {
		s.Stored[id] = *s.Moved
	}
	return found, nil
}

// Orders returns the page of all orders by id, whatever the filters.
func (s *Store) Orders(ctx context.Context, query order.Query) (listing.Rows[order.Order], error) {
	s.After = consistency.After(ctx)
	s.Queries = append(s.Queries, query)
	if s.Failure != nil && len(s.Queries) > s.FailsAfter {
		return listing.Rows[order.Order]{}, s.Failure
	}
	all := slices.SortedFunc(maps.Values(s.Stored), func(a, b order.Order) int { return cmp.Compare(a.ID, b.ID) })
	return listingtest.Whole(query.Request, all, func(o order.Order) uint64 { return o.ID })
}

// LastOrders returns the first order, whoever is asked about.
func (s *Store) LastOrders(context.Context, []uint64) ([]order.Order, error) {
	return []order.Order{s.Stored[1]}, nil
}

// Timeline returns a page of the steps.
func (s *Store) Timeline(_ context.Context, id uint64, request listing.Request) (listing.Rows[order.Step], uint64, error) {
	found, ok := s.Stored[id]
	if !ok {
		return listing.Rows[order.Step]{}, 0, fault.NewNotFound()
	}
	page, err := listingtest.Whole(request, slices.Clone(s.Steps), func(step order.Step) uint64 { return step.ID })
	return page, found.CustomerID, err
}

// RedactNote keeps what it was asked, if there is such a step.
func (s *Store) RedactNote(_ context.Context, orderID, stepID, adminID uint64) (uint64, error) {
	known := slices.ContainsFunc(s.Steps, func(step order.Step) bool { return step.ID == stepID })
	if _, found := s.Stored[orderID]; !found || !known {
		return 0, fault.NewNotFound()
	}
	s.Redacted = append(s.Redacted, [3]uint64{orderID, stepID, adminID})
	return s.Stored[orderID].CustomerID, s.Failure
}

// RecordEvents keeps audit events.
func (s *Store) RecordEvents(_ context.Context, events []audit.Event) error {
	s.Audited = append(s.Audited, events...)
	return nil
}
