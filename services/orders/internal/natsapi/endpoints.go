// Package natsapi is the orders service's face on NATS: what it answers, what it asks the accounts service, and which
// events it consumes. It converts between messages (libs/contracts) and the domain, and decides nothing. It knows no HTTP
// and no SQL.
package natsapi

import (
	"context"

	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/orders/internal/order"
)

// Endpoints returns what the service answers over NATS.
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
		reply.Orders[i] = found.Contract()
	}
	return reply
}
