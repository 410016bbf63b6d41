package order

import (
	"context"

	"oms.internal/libs/audit"
	"oms.internal/libs/listing"
)

// Store keeps orders. A missing order is the fault NotFound, a number that another order has or had is ErrNumberTaken. For a
// customer who is known to be gone, an order is refused with NoSuchCustomer, a note with ErrNoteAboutFormerCustomer.
//
// Reads see at least what their context asks for (libs/consistency). A write is not done again for a request that
// succeeded before: it returns the order as it was then, and replayed is true.
type Store interface {
	// CreateOrder stores the fact's order, and returns it with its id.
	CreateOrder(ctx context.Context, request IdempotentRequest, fact Fact) (order Order, replayed bool, err error)
	// ChangeOrder locks the order and stores the fact that decide returns: its order in the place of the locked one, or the
	// removal if its event is EventDeleted. The zero Fact changes nothing. decide may run more than once; what it refuses
	// is not written.
	ChangeOrder(ctx context.Context, request IdempotentRequest, id uint64, decide func(Order) (Fact, error)) (order Order, replayed bool, err error)
	// Answered returns the order that the same request was answered with before; found is false where it never was.
	Answered(ctx context.Context, request IdempotentRequest) (answer Order, found bool, err error)
	// Order returns one order.
	Order(ctx context.Context, id uint64) (Order, error)
	// Orders returns one page of a list.
	Orders(ctx context.Context, query Query) (listing.Rows[Order], error)
	// LastOrders returns the last order of each customer that has one.
	LastOrders(ctx context.Context, customerIDs []uint64) ([]Order, error)
	// Timeline returns a page of the steps of an order, oldest first, and whose it is or, once it is deleted, was.
	Timeline(ctx context.Context, id uint64, request listing.Request) (page listing.Rows[Step], customerID uint64, err error)
	// RecordEvents tells accounts of audit events, all or none.
	RecordEvents(ctx context.Context, events []audit.Event) error
	// RedactNote removes the note of a step of an order, in the name of an admin. It returns whose the order was then.
	RedactNote(ctx context.Context, orderID, stepID, adminID uint64) (customerID uint64, err error)
}

// IdempotentRequest is a write that its caller may send again, because the answer was lost, and that is done once.
type IdempotentRequest struct {
	CallerID uint64
	// Key is the client's Idempotency-Key; "" is for a request that is not recognised when it is sent again.
	Key string
	// Fingerprint is that of all that the request asks for. FormerFingerprint is the one that the release before took.
	Fingerprint, FormerFingerprint [32]byte
}

// Condition is what the caller expects of the order that it wants to change.
type Condition interface{ Allows(version uint64) bool }

// Query says which orders are wanted, in which order and which page of them.
type Query struct {
	listing.Request
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
