package order

import (
	"context"
	"errors"
	"fmt"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
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

// Create stores a new order, paid now. The customer is the caller unless an admin says otherwise; a missing number is
// generated. An attempt that succeeded before has the same result again, whatever has become of the order or its customer
// since; replayed says so.
func (s *Service) Create(
	ctx context.Context, caller authn.Principal, input Change, attempt Attempt,
) (stored Order, replayed bool, err error) {
	order := Order{CustomerID: caller.MemberID, PaidAt: s.now(), State: Paid, Version: 1}
	var refusal error
	if input.CustomerID != nil && *input.CustomerID != caller.MemberID {
		order.CustomerID = *input.CustomerID
		caller, refusal = s.mayGive(ctx, caller, order.CustomerID)
	}
	if refusal != nil && attempt.Key == "" {
		return Order{}, false, refusal
	}
	set(&order.ProductName, input.ProductName)
	for range maxNumbers {
		stored, replayed, err = s.deps.Store.CreateOrder(ctx, attempt, func() (Fact, error) {
			if refusal != nil {
				return Fact{}, refusal
			}
			if err := s.number(&order, input.OrderNumber); err != nil {
				return Fact{}, err
			}
			return s.fact(orders.EventCreated, caller, order), nil
		})
		if input.OrderNumber != nil || !errors.Is(err, ErrNumberTaken) {
			s.deps.Notifier.Wrote(ctx, caller.MemberID, order.CustomerID)
			return stored, replayed, err
		}
	}
	return Order{}, false, fault.NewInternal(fmt.Errorf("%d generated order numbers are taken", maxNumbers))
}

func (s *Service) number(order *Order, given *string) error {
	if given != nil {
		order.OrderNumber = *given
		return nil
	}
	generated, err := s.deps.NewNumber()
	if err != nil {
		return fmt.Errorf("generate order number: %w", err)
	}
	order.OrderNumber = generated
	return nil
}

// Update changes an order that Get has shown to the caller. Fields that are left out keep what others wrote to them
// meanwhile; a change to what the order is already is none.
func (s *Service) Update(
	ctx context.Context, caller authn.Principal, shown Order, change Change, condition Condition,
) (Order, error) {
	caller, err := s.mayUpdate(ctx, caller, shown, change)
	if err != nil {
		return Order{}, err
	}
	concerned := []uint64{caller.MemberID}
	updated, err := s.deps.Store.ChangeOrder(ctx, shown.ID, func(order *Order) (Fact, error) {
		// The order may have got another customer since it was shown.
		if err := mayUse(caller, *order); err != nil {
			return Fact{}, err
		}
		if !condition.Allows(order.Version) {
			return Fact{}, errChanged
		}
		before := *order
		set(&order.CustomerID, change.CustomerID)
		set(&order.OrderNumber, change.OrderNumber)
		set(&order.ProductName, change.ProductName)
		if order.CustomerID != before.CustomerID && order.CustomerID == shown.CustomerID {
			// It looked as if the customer stayed the same, and so nobody asked whether there is one.
			return Fact{}, fault.New(fault.Conflict, "The order has another customer meanwhile. Look at it again.", nil)
		}
		concerned = []uint64{caller.MemberID, before.CustomerID, order.CustomerID}
		if *order == before {
			return Fact{}, nil
		}
		order.Version++
		return s.fact(orders.EventChanged, caller, *order), nil
	})
	s.deps.Notifier.Wrote(ctx, concerned...)
	return updated, err
}

// mayUpdate returns the caller with the rights that it has now. The present customer needs no check: it may have been
// deleted since.
func (s *Service) mayUpdate(
	ctx context.Context, caller authn.Principal, shown Order, change Change,
) (authn.Principal, error) {
	if change.CustomerID != nil && *change.CustomerID != shown.CustomerID {
		return s.mayGive(ctx, caller, *change.CustomerID)
	}
	return s.withCurrentRights(ctx, caller)
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
