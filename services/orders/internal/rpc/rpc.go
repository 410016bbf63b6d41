// Package rpc is what the orders service answers over NATS: it converts between messages and the domain, and decides
// nothing.
package rpc

import (
	"context"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/wire"
)

// Endpoints returns the endpoints of the micro service.
func Endpoints(service *order.Service) []natsx.Endpoint {
	return []natsx.Endpoint{
		natsx.NewEndpoint("last", orders.SubjectLast,
			func(ctx context.Context, request orders.LastRequest) (orders.LastReply, error) {
				if len(request.CustomerIDs) > orders.MaxCustomers {
					return orders.LastReply{}, fault.New(fault.Malformed, "Too many customers.", nil)
				}
				ctx = consistency.Into(ctx, consistency.Token(request.After))
				last, err := service.Last(ctx, request.CustomerIDs)
				return toReply(last), err
			}),
	}
}

func toReply(last []order.Order) orders.LastReply {
	reply := orders.LastReply{Orders: make([]orders.Order, len(last))}
	for i, found := range last {
		reply.Orders[i] = wire.Order(found)
	}
	return reply
}
