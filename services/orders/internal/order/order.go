// Package order is the domain of the orders service: orders, and who may see and do what. It guarantees that every path
// to an order passes these rules, whatever the transport.
//
// It imports no HTTP, no SQL and no NATS; what it needs from outside it names as ports in ports.go.
package order

import (
	"crypto/rand"
	"math/big"
	"regexp"
	"time"

	"oms.internal/libs/contracts/orders"
)

// Order is one order of one customer. The customer is a member of the accounts service; it may be gone by now.
type Order struct {
	ID          uint64
	CustomerID  uint64
	OrderNumber string // unique
	ProductName string
	PaidAt      time.Time
	State       State
	// Version counts the changes of the order, from 1.
	Version uint64
}

// Contract returns the order as other processes know it.
func (o Order) Contract() orders.Order {
	return orders.Order{
		ID: o.ID, CustomerID: o.CustomerID, OrderNumber: o.OrderNumber, ProductName: o.ProductName,
		PaidAt: o.PaidAt, State: string(o.State),
	}
}

// The rules of an order's fields, those of drf-oms. Lengths are in characters (Unicode code points).
const (
	NumberLength   = 12
	MaxProductName = 100
)

// NumberPattern is the form of an order number.
var NumberPattern = regexp.MustCompile(`^[0-9A-Z]+$`)

const numberAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// NewNumber returns a random order number, one of 36^12 (62 bits).
func NewNumber() (string, error) {
	number := make([]byte, NumberLength)
	for i := range number {
		digit, err := rand.Int(rand.Reader, big.NewInt(int64(len(numberAlphabet))))
		if err != nil {
			return "", err
		}
		number[i] = numberAlphabet[digit.Int64()]
	}
	return string(number), nil
}
