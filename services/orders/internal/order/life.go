package order

import (
	"context"
	"fmt"
	"slices"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
)

// State is where an order is in its life.
type State string

// The states of an order.
const (
	Paid      State = "paid"
	Preparing State = "preparing"
	Shipped   State = "shipped"
	Delivered State = "delivered"
	Cancelled State = "cancelled"
)

// Deleted is where the timeline of a deleted order ends. No order is in this state.
const Deleted State = "deleted"

// transitions says from which state an order may come to which.
var transitions = map[State][]State{
	Paid:      {Preparing, Cancelled},
	Preparing: {Shipped, Cancelled},
	Shipped:   {Delivered},
	Delivered: nil,
	Cancelled: nil,
}

// States returns all states of an order, in the order of its life.
func States() []State { return []State{Paid, Preparing, Shipped, Delivered, Cancelled} }

// MaxNote is how long the note of a transition may be, in characters (Unicode code points).
const MaxNote = 500

// Transition is what a caller asks of an order's life.
type Transition struct {
	To   State
	Note string
}

// Transition brings an order into another state: an admin as the order's life allows, its customer to cancel it while it
// may be cancelled.
func (s *Service) Transition(
	ctx context.Context, caller authn.Principal, id uint64, wanted Transition, condition Condition, request IdempotentRequest,
) (changed Order, replayed bool, err error) {
	_, caller, err = s.mayChange(ctx, caller, id, nil)
	if err != nil {
		return s.refuse(ctx, request, err)
	}
	return s.change(ctx, caller, id, condition, request, func(order Order) (Fact, error) {
		if !caller.Admin && wanted.To != Cancelled {
			return Fact{}, fault.NewForbidden()
		}
		from := order.State
		if !slices.Contains(transitions[from], wanted.To) {
			detail := fmt.Sprintf("An order that is %s cannot become %s.", from, wanted.To)
			return Fact{}, fault.New(fault.Conflict, detail, nil)
		}
		order.State = wanted.To
		fact := s.fact(orders.EventTransition, caller, order)
		fact.From, fact.Note = from, wanted.Note
		return fact, nil
	})
}
