package natsapi

import (
	"context"

	"github.com/nats-io/nats.go"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/natsx"
)

// Orders is account.LastOrders over NATS.
type Orders struct{ conn *nats.Conn }

var _ account.LastOrders = (*Orders)(nil)

// NewOrders returns a client on the process's connection.
func NewOrders(conn *nats.Conn) *Orders { return &Orders{conn: conn} }

// LastOrders asks for the last orders of up to orders.MaxCustomers customers in one request.
func (o *Orders) LastOrders(ctx context.Context, customerIDs []uint64) (map[uint64]account.Order, error) {
	reply, err := natsx.Call[orders.LastReply](ctx, o.conn, orders.SubjectLast, orders.LastRequest{
		CustomerIDs: customerIDs, After: uint64(consistency.After(ctx)),
	})
	if err != nil {
		return nil, err
	}
	last := make(map[uint64]account.Order, len(reply.Orders))
	for _, order := range reply.Orders {
		last[order.CustomerID] = account.Order(order)
	}
	return last, nil
}
