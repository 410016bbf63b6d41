package order

import (
	"context"

	"oms.internal/libs/listing"
)

// Freshness says how old the answer to a read may be.
type Freshness int

// The freshnesses.
const (
	// Recent may miss the last seconds; replicas can serve it.
	Recent Freshness = iota
	// Latest sees every acknowledged write.
	Latest
)

// Store keeps orders. A missing order is the fault NotFound, a number in use is ErrNumberTaken.
type Store interface {
	// CreateOrder stores the order and returns it with its id.
	CreateOrder(ctx context.Context, order Order) (Order, error)
	// Order returns one order. Its answer is the latest: a replica that is behind must not deny what was acknowledged.
	Order(ctx context.Context, id uint64) (Order, error)
	// Orders returns one page of a list, and how many orders the whole list has.
	Orders(ctx context.Context, query Query, freshness Freshness) ([]Order, int, error)
	// LastOrders returns the last order of each customer that has one.
	LastOrders(ctx context.Context, customerIDs []uint64, freshness Freshness) ([]Order, error)
	// UpdateOrder locks the order, lets change alter it, and stores it, all or nothing. change may run more than once.
	UpdateOrder(ctx context.Context, id uint64, change func(*Order) error) (Order, error)
	// DeleteOrder locks the order, asks allowed, and removes it.
	DeleteOrder(ctx context.Context, id uint64, allowed func(Order) error) error
}

// Query says which orders are wanted, in which order and which page of them.
type Query struct {
	listing.Request
	CustomerID  uint64 // 0 for any
	ProductName string // "" for any
	// Customers holds, for each term, the customers that match it themselves.
	Customers [][]uint64
}

// Members asks the accounts service.
type Members interface {
	// Exists reports whether there is a member with this id.
	Exists(ctx context.Context, id uint64) (bool, error)
	// Match returns, for each term, the members whose name or email holds it. among restricts it to one member, unless 0.
	// truncated says that there are more.
	Match(ctx context.Context, terms []string, among, readerID uint64) (ids [][]uint64, truncated bool, err error)
}

// RecentWrites remembers who wrote a moment ago and therefore must not read from a replica.
type RecentWrites interface {
	Mark(memberID uint64)
	Wrote(memberID uint64) bool
}
