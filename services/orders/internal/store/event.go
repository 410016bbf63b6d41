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
		Order: fact.Order.Contract(), Version: fact.Order.Version, FromState: string(fact.From), ActorID: fact.ActorID,
	})
	if err != nil {
		return err
	}
	return events.Append(ctx, tx.writer, event)
}
