// Package orders is what other processes may ask of the orders service over NATS: subjects and messages, and how an order
// looks on the HTTP surface. It imports nothing of this project.
//
// Messages only gain members; a member is never renamed or given another meaning, since both ends are updated at
// different times.
package orders

import "time"

// Service is the name of the micro service and the audience of principals for it.
const Service = "orders"

// SubjectLast is the subject of LastRequest.
const SubjectLast = "oms.rpc.orders.last"

// MaxCustomers is how many customers one LastRequest may name: the longest page of members.
const MaxCustomers = 500

// LastRequest asks for the last order of each of up to MaxCustomers customers.
type LastRequest struct {
	CustomerIDs []uint64 `json:"customer_ids"`
	// After is the consistency token (libs/consistency) of the member who will see the answer; 0 asks for nothing.
	After uint64 `json:"after,omitempty"`
}

// LastReply answers LastRequest. A customer without an order is absent.
type LastReply struct {
	Orders []Order `json:"orders"`
}

// Order is one order.
type Order struct {
	ID          uint64    `json:"id"`
	CustomerID  uint64    `json:"customer_id"`
	OrderNumber string    `json:"order_number"`
	ProductName string    `json:"product_name"`
	PaidAt      time.Time `json:"paid_at"`
	State       string    `json:"state"`
}
