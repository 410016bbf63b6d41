package order

import (
	"context"

	"oms.internal/libs/listing"
)

// Store keeps orders. A missing order is the fault NotFound, a number in use is ErrNumberTaken, a customer who is known to
// be gone is refused with NoSuchCustomer.
//
// Reads see at least what their context asks for (libs/consistency). A function that is handed to a write may run more
// than once; what it refuses is not written.
type Store interface {
	// CreateOrder stores the order of the fact that compose returns, and returns it with its id. An attempt that succeeded
	// before is not done again: its order is returned as it was then, and replayed is true.
	CreateOrder(ctx context.Context, attempt Attempt, compose func() (Fact, error)) (order Order, replayed bool, err error)
	// Order returns one order.
	Order(ctx context.Context, id uint64) (Order, error)
	// Orders returns one page of a list, and how many orders the whole list has.
	Orders(ctx context.Context, query Query) ([]Order, int, error)
	// LastOrders returns the last order of each customer that has one.
	LastOrders(ctx context.Context, customerIDs []uint64) ([]Order, error)
	// Timeline returns the first MaxTimeline steps of an order, and whose it is or, once it is deleted, was.
	Timeline(ctx context.Context, id uint64) (steps []Step, customerID uint64, err error)
	// ChangeOrder locks the order, lets change alter it, and stores it with the fact, all or nothing. The zero Fact stands
	// for nothing to store.
	ChangeOrder(ctx context.Context, id uint64, change func(*Order) (Fact, error)) (Order, error)
	// DeleteOrder locks the order, asks for the fact, and removes it.
	DeleteOrder(ctx context.Context, id uint64, allowed func(Order) (Fact, error)) error
}

// MaxTimeline is how many steps of a timeline are shown. An order's life has fewer.
const MaxTimeline = 100

// Attempt is a request that its caller may send again because it lost the answer, and that must be done once.
type Attempt struct {
	CallerID uint64
	// Key is what the caller recognises it by; "" is for a request that is never sent again.
	Key string
	// Fingerprint is that of all that the request asks for.
	Fingerprint [32]byte
}

// Condition is what the caller expects of the order that it wants to change.
type Condition interface{ Allows(version uint64) bool }

// Query says which orders are wanted, in which order and which page of them.
type Query struct {
	listing.Request
	CustomerID  uint64 // 0 for any
	ProductName string // "" for any
	// Customers holds, for each term, the customers that match it themselves.
	Customers [][]uint64
}

// Member is what accounts knows of a member.
type Member struct {
	Exists bool
	// Admin says that the member may use the admin right now.
	Admin bool
}

// Members asks the accounts service.
type Members interface {
	// Member returns what a member is now, on which writes are decided; the zero Member where there is none.
	Member(ctx context.Context, id uint64) (Member, error)
	// Match returns, for each term, the members whose name or email holds it. among restricts it to one member, unless 0.
	// truncated says that there are more.
	Match(ctx context.Context, terms []string, among uint64) (ids [][]uint64, truncated bool, err error)
}

// WriteNotifier makes sure that members see what they were told of.
type WriteNotifier interface {
	// Wrote notes that the answer to a request may tell the members of what was written in its context.
	Wrote(ctx context.Context, memberIDs ...uint64)
}
