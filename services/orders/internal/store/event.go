package store

import (
	"context"
	"strconv"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/orders/internal/order"
)

// appendEvent puts the fact into the outbox, as other services and systems read it, in the transaction that makes it true.
func appendEvent(ctx context.Context, tx transaction, fact order.Fact) error {
	subject := strconv.FormatUint(fact.Order.ID, 10)
	event, err := events.New(orders.Service, fact.Event, subject, fact.At, orders.EventData{
		Order: toContract(fact.Order), Version: fact.Order.Version, FromState: string(fact.From), ActorID: fact.ActorID,
	})
	if err != nil {
		return err
	}
	return events.Append(ctx, tx.writer, event)
}

// toContract returns the order as it is kept in JSON: in events, and in the answers that are given again.
func toContract(stored order.Order) orders.Order {
	return orders.Order{
		ID: stored.ID, CustomerID: stored.CustomerID, OrderNumber: stored.OrderNumber, ProductName: stored.ProductName,
		PaidAt: stored.PaidAt, State: string(stored.State),
	}
}
