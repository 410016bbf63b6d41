package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/field"
)

// Change is the input for a new order or a change of one; nil leaves a field as it is, or to its default. The transport
// has checked the fields.
type Change struct {
	CustomerID  *uint64
	OrderNumber *string
	ProductName *string
}

// maxNumbers is how many generated numbers are tried. With a billion orders one in four billion is taken.
const maxNumbers = 5

// existsBudget is how long an admin's order waits for the accounts service.
const existsBudget = time.Second

// Create stores a new order, paid now. The customer is the caller unless an admin says otherwise; a missing number is
// generated.
func (s *Service) Create(ctx context.Context, caller authn.Principal, input Change) (Order, error) {
	order := Order{CustomerID: caller.MemberID, PaidAt: s.Now().UTC().Truncate(time.Microsecond)}
	if input.CustomerID != nil {
		if err := s.checkCustomer(ctx, caller, *input.CustomerID, caller.MemberID); err != nil {
			return Order{}, err
		}
		order.CustomerID = *input.CustomerID
	}
	if input.ProductName != nil {
		order.ProductName = *input.ProductName
	}
	stored, err := s.store(ctx, order, input.OrderNumber)
	s.remember(err, caller.MemberID, order.CustomerID)
	return stored, err
}

func (s *Service) store(ctx context.Context, order Order, number *string) (Order, error) {
	if number != nil {
		order.OrderNumber = *number
		return s.Store.CreateOrder(ctx, order)
	}
	for range maxNumbers {
		generated, err := s.NewNumber()
		if err != nil {
			return Order{}, fmt.Errorf("generate order number: %w", err)
		}
		order.OrderNumber = generated
		stored, err := s.Store.CreateOrder(ctx, order)
		if !errors.Is(err, ErrNumberTaken) {
			return stored, err
		}
	}
	return Order{}, fault.NewInternal(fmt.Errorf("%d generated order numbers are taken", maxNumbers))
}

// Update changes an order that Get has shown to the caller. Fields that are left out keep what others wrote to them
// meanwhile.
func (s *Service) Update(ctx context.Context, caller authn.Principal, shown Order, change Change) (Order, error) {
	if change.CustomerID != nil {
		if err := s.checkCustomer(ctx, caller, *change.CustomerID, shown.CustomerID); err != nil {
			return Order{}, err
		}
	}
	customerID := shown.CustomerID
	updated, err := s.Store.UpdateOrder(ctx, shown.ID, func(order *Order) error {
		// The order may have got another customer since it was shown.
		if err := mayUse(caller, *order); err != nil {
			return err
		}
		set(&order.CustomerID, change.CustomerID)
		set(&order.OrderNumber, change.OrderNumber)
		set(&order.ProductName, change.ProductName)
		customerID = order.CustomerID
		return nil
	})
	s.remember(err, caller.MemberID, customerID)
	return updated, err
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// checkCustomer says whether the caller may give an order to this customer. The present customer needs no check: it may
// have been deleted since. For a new one, accounts is asked; without its answer nothing is written.
func (s *Service) checkCustomer(ctx context.Context, caller authn.Principal, customerID, present uint64) error {
	if customerID == present {
		return nil
	}
	if !caller.Admin {
		return fault.NewForbidden()
	}
	ctx, cancel := context.WithTimeout(ctx, existsBudget)
	defer cancel()
	exists, err := s.Members.Exists(ctx, customerID)
	if err != nil {
		return err
	}
	if !exists {
		return fault.InvalidField("customer", field.NoSuchKey(customerID))
	}
	return nil
}
