package order

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
)

// matchBudget is how long a page waits for the accounts service to find customers by their names and emails, if it may go
// without them. What must be whole waits as long as its request may take.
const matchBudget = time.Second

// ErrNumberTaken is the fault for an order number that another order has or had: a number names one order for ever.
var ErrNumberTaken = fault.InvalidField("order_number", "order with this order number already exists.")

// NoSuchCustomer is the fault for a customer who is no member, or no longer.
func NoSuchCustomer(id uint64) error {
	return fault.InvalidField("customer", fmt.Sprintf(`Invalid pk "%d" - object does not exist.`, id))
}

// ErrNoteAboutFormerCustomer is the fault for a note about a member that was deleted: such notes are removed, so none is added.
var ErrNoteAboutFormerCustomer = fault.InvalidField("note", "The customer of this order was deleted, so no note is kept about it.")

// errChanged is the fault for an order that is not as the caller expects it.
var errChanged = fault.New(fault.PreconditionFailed, "The order is not as the request expects it. Look at it again.", nil)

// Service is the domain's use cases.
type Service struct {
	deps   Dependencies
	series *audit.Series
}

// Dependencies are what the service works with. All are required.
type Dependencies struct {
	Store   Store
	Members Members
	// NewNumber makes an order number where the customer gives none.
	NewNumber func() (string, error)
	Now       func() time.Time
	Log       *slog.Logger
}

// NewService returns the use cases over the given dependencies.
func NewService(dependencies Dependencies) *Service {
	return &Service{deps: dependencies, series: audit.NewSeries()}
}

// now is the time as the store keeps it.
func (s *Service) now() time.Time { return s.deps.Now().UTC().Truncate(time.Microsecond) }

// Get returns an order of the caller, or to an admin any order.
func (s *Service) Get(ctx context.Context, caller authn.Principal, id uint64) (Order, error) {
	order, err := s.find(ctx, caller, id)
	if err == nil {
		s.noteLook(ctx, caller, audit.OrderRead, order.CustomerID, audit.AboutOrder(id))
	}
	return order, err
}

// MaySee returns nil where Get would return an order.
func (s *Service) MaySee(ctx context.Context, caller authn.Principal, id uint64) error {
	_, err := s.find(ctx, caller, id)
	return err
}

func (s *Service) find(ctx context.Context, caller authn.Principal, id uint64) (Order, error) {
	order, err := s.deps.Store.Order(ctx, id)
	if err != nil {
		return Order{}, err
	}
	return order, mayUse(caller, order)
}

// Last returns the last order of each of the given customers that has one.
func (s *Service) Last(ctx context.Context, customerIDs []uint64) ([]Order, error) {
	return s.deps.Store.LastOrders(ctx, customerIDs)
}
