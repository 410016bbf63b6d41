// Package ordertest is what the domain works with, in memory: a store, the accounts service, a clock and a generator of
// numbers. The tests of the domain and those of the HTTP surface use it, and nothing else imports it.
package ordertest

import (
	"io"
	"log/slog"
	"time"

	"oms.internal/libs/authn"
	"oms.internal/orders/internal/order"
)

// The members of a World.
const (
	OwnerID = 1
	OtherID = 2
	AdminID = 9
)

// The members as callers. Owner is the customer of FirstOrder.
var (
	Owner = authn.Principal{MemberID: OwnerID, SessionID: 1}
	Other = authn.Principal{MemberID: OtherID, SessionID: 2}
	Admin = authn.Principal{MemberID: AdminID, SessionID: 3, Admin: true}
)

// Now is the time of a World. It has a zone and nanoseconds, so that both show where they are not removed.
var Now = time.Date(2026, 11, 23, 15, 36, 30, 511840999, time.FixedZone("KST", 9*60*60))

// FirstOrder is the order 1, which every World has.
func FirstOrder() order.Order {
	return order.Order{
		ID: 1, CustomerID: OwnerID, OrderNumber: "FIRST0000001", ProductName: "꼬막무침 🍤", PaidAt: Now.UTC(),
		State: order.Paid, Version: 1,
	}
}

// World is a service with what it works with.
type World struct {
	*order.Service

	Store    *Store
	Accounts *Accounts
	// Numbers are what the generator gives, in this order. When they are used up, it fails.
	Numbers []string
}

// NewWorld returns a World with FirstOrder, three members and two numbers.
func NewWorld() *World {
	w := &World{
		Store: &Store{Stored: map[uint64]order.Order{1: FirstOrder()}, Answers: map[order.IdempotentRequest]order.Order{}},
		Accounts: &Accounts{Members: map[uint64]order.Member{
			OwnerID: {Exists: true}, OtherID: {Exists: true}, AdminID: {Exists: true, Admin: true},
		}},
		Numbers: []string{"GENERATED001", "GENERATED002"},
	}
	w.Service = order.NewService(order.Dependencies{
		Store: w.Store, Members: w.Accounts, NewNumber: w.number,
		Now: func() time.Time { return Now }, Log: slog.New(slog.DiscardHandler),
	})
	return w
}

func (w *World) number() (string, error) {
	if len(w.Numbers) == 0 {
		return "", io.ErrUnexpectedEOF
	}
	number := w.Numbers[0]
	w.Numbers = w.Numbers[1:]
	return number, nil
}
