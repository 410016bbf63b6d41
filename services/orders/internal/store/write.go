package store

import (
	"context"
	"database/sql"

	"oms.internal/libs/contracts/orders"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// ChangeOrder stores what decide makes of the locked order.
func (s *Store) ChangeOrder(
	ctx context.Context, request order.IdempotentRequest, id uint64, decide func(order.Order) (order.Fact, error),
) (order.Order, bool, error) {
	return s.once(ctx, request, func(ctx context.Context, tx transaction) (order.Order, error) {
		row, err := tx.GetOrderForUpdate(ctx, id)
		if err != nil {
			return order.Order{}, notFound(err)
		}
		before := toOrder(row)
		fact, err := decide(before)
		if err != nil || fact.Event == "" {
			return before, err
		}
		if err := change(ctx, tx, before, fact); err != nil {
			return order.Order{}, err
		}
		return fact.Order, record(ctx, tx, fact)
	})
}

// change stores the order of the fact in the place of the locked one, or removes it.
func change(ctx context.Context, tx transaction, before order.Order, fact order.Fact) error {
	after := fact.Order
	if fact.Event == orders.EventDeleted {
		return tx.DeleteOrder(ctx, before.ID)
	}
	if after.CustomerID != before.CustomerID {
		if err := refuseFormer(ctx, tx, after.CustomerID); err != nil {
			return err
		}
	}
	return numberTaken(tx.UpdateOrder(ctx, sqlcgen.UpdateOrderParams{
		ID: before.ID, CustomerID: after.CustomerID, OrderNumber: after.OrderNumber, ProductName: after.ProductName,
		State: string(after.State), Version: after.Version,
	}))
}

// refuseFormer refuses a customer whose deletion has been heard of.
func refuseFormer(ctx context.Context, tx transaction, customerID uint64) error {
	former, err := tx.IsFormerCustomer(ctx, customerID)
	if err == nil && former {
		err = order.NoSuchCustomer(customerID)
	}
	return err
}

// record writes the fact where others find it: into the timeline, if it is a step of it, and into the outbox.
func record(ctx context.Context, tx transaction, fact order.Fact) error {
	if step, ok := fact.Step(); ok {
		if err := tx.InsertTimelineEntry(ctx, sqlcgen.InsertTimelineEntryParams{
			OrderID: fact.Order.ID, CustomerID: step.CustomerID, At: step.At, ActorID: step.ActorID,
			FromState: sql.NullString{String: string(step.From), Valid: step.From != ""},
			ToState:   string(step.To), Note: step.Note,
		}); err != nil {
			return err
		}
	}
	return appendEvent(ctx, tx, fact)
}
