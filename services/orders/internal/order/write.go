package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
)

// Change is the input for a new order or a change of one; nil leaves a field as it is, or to its default. The transport
// has checked the fields.
type Change struct {
	CustomerID  *uint64
	OrderNumber *string
	ProductName *string
	// State may be given as it is. Another one is refused: only a transition changes it.
	State *State
}

// refuseState refuses a state that the order does not have.
func (c Change) refuseState(present State) error {
	if c.State == nil || *c.State == present {
		return nil
	}
	return fault.InvalidField("state", "This field is changed by POST /orders/{id}/transitions.")
}

// maxNumbers is how many generated numbers are tried. With a billion orders one in four billion is taken.
const maxNumbers = 5

// Create stores a new order, paid now. The customer is the caller unless an admin says otherwise; a missing number is
// generated. A request that succeeded before has the same result again, whatever has become of the order or its customer
// since; replayed says so.
func (s *Service) Create(
	ctx context.Context, caller authn.Principal, input Change, request IdempotentRequest,
) (created Order, replayed bool, err error) {
	order := Order{CustomerID: caller.MemberID, PaidAt: s.now(), State: Paid, Version: 1}
	if err := input.refuseState(order.State); err != nil {
		return Order{}, false, err
	}
	set(&order.CustomerID, input.CustomerID)
	set(&order.ProductName, input.ProductName)
	if order.CustomerID != caller.MemberID {
		if caller, err = s.mayGive(ctx, caller, order.CustomerID); err != nil {
			return s.refuse(ctx, request, err)
		}
	}
	consistency.Concern(ctx, order.CustomerID)
	for range maxNumbers {
		if order.OrderNumber, err = s.number(input.OrderNumber); err != nil {
			return s.refuse(ctx, request, err)
		}
		created, replayed, err = s.deps.Store.CreateOrder(ctx, request, s.fact(orders.EventCreated, caller, order))
		if input.OrderNumber != nil || !errors.Is(err, ErrNumberTaken) {
			return created, replayed, err
		}
	}
	return Order{}, false, fault.NewInternal(fmt.Errorf("%d generated order numbers are taken", maxNumbers))
}

// number returns the number that the caller wants, or a new one.
func (s *Service) number(wanted *string) (string, error) {
	if wanted != nil {
		return *wanted, nil
	}
	generated, err := s.deps.NewNumber()
	if err != nil {
		return "", fmt.Errorf("generate order number: %w", err)
	}
	return generated, nil
}

// Update changes an order of the caller before it is prepared, or for an admin any order. Fields that are left out keep
// what others wrote to them meanwhile. If every field has its value already, nothing is written.
func (s *Service) Update(
	ctx context.Context, caller authn.Principal, id uint64, change Change, condition Condition, request IdempotentRequest,
) (updated Order, replayed bool, err error) {
	shown, caller, err := s.mayChange(ctx, caller, id, change.CustomerID)
	if err != nil {
		return s.refuse(ctx, request, err)
	}
	return s.change(ctx, caller, id, condition, request, func(before Order) (Fact, error) {
		if err := mayAlter(caller, before); err != nil {
			return Fact{}, err
		}
		if err := change.refuseState(before.State); err != nil {
			return Fact{}, err
		}
		after := before
		set(&after.CustomerID, change.CustomerID)
		set(&after.OrderNumber, change.OrderNumber)
		set(&after.ProductName, change.ProductName)
		if after.CustomerID != before.CustomerID && after.CustomerID == shown.CustomerID {
			// Nobody has asked whether this customer exists, because it seemed to be the present one.
			return Fact{}, fault.New(fault.Conflict, "The order has another customer meanwhile. Look at it again.", nil)
		}
		if after == before {
			return Fact{}, nil
		}
		fact := s.fact(orders.EventChanged, caller, after)
		fact.Changes = differences(before, after)
		return fact, nil
	})
}

// Delete removes an order of the caller before it is prepared, or for an admin any order. Its timeline stays.
func (s *Service) Delete(
	ctx context.Context, caller authn.Principal, id uint64, condition Condition, request IdempotentRequest,
) (replayed bool, err error) {
	_, caller, err = s.mayChange(ctx, caller, id, nil)
	if err != nil {
		_, replayed, err = s.refuse(ctx, request, err)
		return replayed, err
	}
	_, replayed, err = s.change(ctx, caller, id, condition, request, func(order Order) (Fact, error) {
		return s.fact(orders.EventDeleted, caller, order), mayAlter(caller, order)
	})
	return replayed, err
}

// change is the way of every write to an order that exists. rule is asked about the locked order once the caller may use it
// and expects it as it is.
func (s *Service) change(
	ctx context.Context, caller authn.Principal, id uint64, condition Condition, request IdempotentRequest,
	rule func(Order) (Fact, error),
) (changed Order, replayed bool, err error) {
	return s.deps.Store.ChangeOrder(ctx, request, id, func(before Order) (Fact, error) {
		// The order may have got another customer since it was shown.
		if err := mayUse(caller, before); err != nil {
			return Fact{}, err
		}
		consistency.Concern(ctx, before.CustomerID)
		if !condition.Allows(before.Version) {
			return Fact{}, errChanged
		}
		fact, err := rule(before)
		if err != nil || fact.Event == "" {
			return Fact{}, err
		}
		consistency.Concern(ctx, fact.Order.CustomerID)
		// The end is a change, too: of two events the one with the higher version tells what came later.
		fact.Order.Version = before.Version + 1
		return fact, nil
	})
}

// refuse answers a request that may not be done now: as before if it was done before, else with the refusal. The answer of
// before is the caller's own, so it is given again even where the order is gone or somebody else's by now.
func (s *Service) refuse(ctx context.Context, request IdempotentRequest, refusal error) (Order, bool, error) {
	if request.Key == "" {
		return Order{}, false, refusal
	}
	answered, found, err := s.deps.Store.Answered(ctx, request)
	if err == nil && !found {
		err = refusal
	}
	return answered, found, err
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// ChangedElsewhere is what an import brings of an order that was changed in the other system. There is no step of the timeline: nobody
// here did it.
func ChangedElsewhere(before, after Order, at time.Time) Fact {
	after.Version = before.Version + 1
	return Fact{Event: orders.EventChanged, At: at, Order: after, Changes: differences(before, after)}
}

// DeletedElsewhere is what an import brings of an order that is gone in the other system.
func DeletedElsewhere(order Order, at time.Time) Fact {
	order.Version++
	return Fact{Event: orders.EventDeleted, At: at, Order: order}
}
