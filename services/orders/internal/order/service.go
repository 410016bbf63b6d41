package order

import (
	"context"
	"log/slog"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// matchBudget is how long a search waits for the accounts service before it goes without customers' names and emails.
const matchBudget = time.Second

// ErrNumberTaken is the fault for an order number that another order has.
var ErrNumberTaken = fault.InvalidField("order_number", "order with this order number already exists.")

// Service is the domain's use cases.
type Service struct {
	Dependencies
}

// Dependencies are what the service works with. All are required.
type Dependencies struct {
	Store   Store
	Members Members
	Recent  RecentWrites
	// NewNumber makes an order number where the customer gives none.
	NewNumber func() (string, error)
	Now       func() time.Time
	Log       *slog.Logger
}

// NewService returns the use cases over the given dependencies.
func NewService(dependencies Dependencies) *Service { return &Service{dependencies} }

// freshness is Latest for what concerns the caller itself and for a caller that wrote a moment ago. Either id may be 0, for
// nobody in particular.
func (s *Service) freshness(callerID, concerns uint64) Freshness {
	own := callerID != 0 && callerID == concerns
	if own || s.Recent.Wrote(callerID) {
		return Latest
	}
	return Recent
}

// remember notes who must read its own write next. A write whose outcome is unknown counts: its caller is told to look.
func (s *Service) remember(err error, memberIDs ...uint64) {
	if err != nil && !fault.Is(err, fault.OutcomeUnknown) {
		return
	}
	for _, id := range memberIDs {
		s.Recent.Mark(id)
	}
}

// Get returns an order of the caller, or to an admin any order.
func (s *Service) Get(ctx context.Context, caller authn.Principal, id uint64) (Order, error) {
	order, err := s.Store.Order(ctx, id)
	if err != nil {
		return Order{}, err
	}
	return order, mayUse(caller, order)
}

// mayUse returns the fault NotFound for an order of somebody else: that there is one is nobody's business.
func mayUse(caller authn.Principal, order Order) error {
	if caller.Admin || caller.MemberID == order.CustomerID {
		return nil
	}
	return fault.NewNotFound()
}

// Last returns the last order of each of the given customers that has one, as the reader may expect to see it.
func (s *Service) Last(ctx context.Context, customerIDs []uint64, readerID uint64) ([]Order, error) {
	concerns := uint64(0)
	if len(customerIDs) == 1 {
		concerns = customerIDs[0]
	}
	return s.Store.LastOrders(ctx, customerIDs, s.freshness(readerID, concerns))
}

// Delete removes an order of the caller, or for an admin any order.
func (s *Service) Delete(ctx context.Context, caller authn.Principal, id uint64) error {
	var customerID uint64
	err := s.Store.DeleteOrder(ctx, id, func(order Order) error {
		customerID = order.CustomerID
		return mayUse(caller, order)
	})
	s.remember(err, caller.MemberID, customerID)
	return err
}
