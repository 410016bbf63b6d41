package order

import (
	"context"
	"fmt"
	"slices"
	"time"

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
	if caller, err = s.withCurrentRights(ctx, caller); err != nil {
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

// Fact is something that happened to an order. It is stored together with what it did, or not at all: as an event for
// other services, and in the timeline where it is a step of the order's life.
type Fact struct {
	// Event is its type, one of those in contracts/orders.
	Event   string
	ActorID uint64
	At      time.Time
	// Order is as the fact left it, or as it was before it was deleted, but for its version.
	Order Order
	// From is the state before, in a transition.
	From State
	Note string
}

func (s *Service) fact(event string, caller authn.Principal, order Order) Fact {
	return Fact{Event: event, ActorID: caller.MemberID, At: s.now(), Order: order}
}

// Step is one entry of an order's timeline.
type Step struct {
	At      time.Time
	ActorID uint64
	// CustomerID is whose order it was.
	CustomerID uint64
	From       State // "" where the order begins
	To         State // Deleted where it ends
	Note       string
}

// Step returns the fact as an entry of the timeline; ok is false where it is none.
func (f Fact) Step() (step Step, ok bool) {
	step = Step{
		At: f.At, ActorID: f.ActorID, CustomerID: f.Order.CustomerID, From: f.From, To: f.Order.State, Note: f.Note,
	}
	switch f.Event {
	case orders.EventCreated, orders.EventTransition:
		return step, true
	case orders.EventDeleted:
		step.From, step.To = f.Order.State, Deleted
		return step, true
	}
	return Step{}, false
}

// Timeline returns what happened in the life of an order of the caller, or to an admin of any order, oldest first. That of
// a deleted order is its last customer's. An order that is older than the timelines has an empty one.
func (s *Service) Timeline(ctx context.Context, caller authn.Principal, id uint64) ([]Step, error) {
	steps, customerID, err := s.deps.Store.Timeline(ctx, id)
	if err != nil {
		return nil, err
	}
	return steps, mayUse(caller, Order{CustomerID: customerID})
}
