package order

import (
	"context"
	"slices"
	"strconv"
	"time"

	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

// Fact is something that happened to an order. It is stored together with what it did, or not at all: as an event for
// other services, and as a step of the order's timeline.
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
	// Changes are what a change did to the order's fields.
	Changes []FieldChange
}

// FieldChange is what a change did to one field. The values are as texts.
type FieldChange struct{ Field, From, To string }

func (s *Service) fact(event string, caller authn.Principal, order Order) Fact {
	return Fact{Event: event, ActorID: caller.MemberID, At: s.now(), Order: order}
}

// differences lists the fields that a change altered.
func differences(before, after Order) []FieldChange {
	id := func(id uint64) string { return strconv.FormatUint(id, 10) }
	fields := []FieldChange{
		{"customer", id(before.CustomerID), id(after.CustomerID)},
		{"order_number", before.OrderNumber, after.OrderNumber},
		{"product_name", before.ProductName, after.ProductName},
	}
	return slices.DeleteFunc(fields, func(field FieldChange) bool { return field.From == field.To })
}

// Step is one entry of an order's timeline.
type Step struct {
	// ID is unique among the steps of all orders, 0 before the step is stored.
	ID      uint64
	At      time.Time
	ActorID uint64
	// CustomerID is whose order it was.
	CustomerID uint64
	From       State // "" where the order begins; To where only fields changed
	To         State // Deleted where it ends
	Note       string
	// Redacted says that somebody removed the note.
	Redacted bool
	Changes  []FieldChange
}

// Step returns the fact as an entry of the timeline.
func (f Fact) Step() Step {
	step := Step{
		At: f.At, ActorID: f.ActorID, CustomerID: f.Order.CustomerID, From: f.From, To: f.Order.State, Note: f.Note, Changes: f.Changes,
	}
	switch f.Event {
	case orders.EventChanged:
		step.From = f.Order.State
	case orders.EventDeleted:
		step.From, step.To = f.Order.State, Deleted
	}
	return step
}

// Timeline returns a page of what happened in the life of an order of the caller, or to an admin of any order, oldest first.
// That of a deleted order is its last customer's. An order that is older than the timelines has an empty one.
//
// Notes are shown to admins and to whoever wrote them: staff write them for each other.
func (s *Service) Timeline(ctx context.Context, caller authn.Principal, id uint64, request listing.Request) (listing.Rows[Step], error) {
	page, customerID, err := s.deps.Store.Timeline(ctx, id, request)
	if err != nil {
		return listing.Rows[Step]{}, err
	}
	if err := mayUse(caller, Order{CustomerID: customerID}); err != nil {
		return listing.Rows[Step]{}, err
	}
	s.noteLook(ctx, caller, audit.OrderRead, customerID, audit.AboutOrder(id)+", timeline")
	for i := range page.Values {
		if step := &page.Values[i]; !caller.Admin && step.ActorID != caller.MemberID {
			step.Note, step.Redacted = "", false
		}
	}
	return page, nil
}

// RedactNote removes the note of a step for ever, which only admins may. A step without a note stays as it is.
func (s *Service) RedactNote(ctx context.Context, caller authn.Principal, orderID, stepID uint64) error {
	caller, err := s.withCurrentRights(ctx, caller)
	if err != nil {
		return err
	}
	if !caller.Admin {
		return fault.NewForbidden()
	}
	customerID, err := s.deps.Store.RedactNote(ctx, orderID, stepID, caller.MemberID)
	consistency.Concern(ctx, customerID)
	return err
}
