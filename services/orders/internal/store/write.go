package store

import (
	"context"
	"database/sql"
	"errors"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// ChangeOrder lets change alter the locked order and stores it with the fact.
func (s *Store) ChangeOrder(
	ctx context.Context, id uint64, change func(*order.Order) (order.Fact, error),
) (order.Order, error) {
	var changed order.Order
	err := s.locked(ctx, id, func(ctx context.Context, tx transaction, before order.Order) (refusal, err error) {
		changed = before
		fact, refusal := change(&changed)
		if refusal != nil || fact.Event == "" {
			return refusal, nil
		}
		if changed.CustomerID != before.CustomerID {
			if err := refuseFormer(ctx, tx, changed.CustomerID); err != nil {
				return nil, err
			}
		}
		if err := numberTaken(tx.UpdateOrder(ctx, sqlcgen.UpdateOrderParams{
			ID: id, CustomerID: changed.CustomerID, OrderNumber: changed.OrderNumber, ProductName: changed.ProductName,
			State: string(changed.State), Version: changed.Version,
		})); err != nil {
			return nil, err
		}
		return nil, record(ctx, tx, fact)
	})
	return changed, err
}

// DeleteOrder removes the order if allowed lets it. The fact stays.
func (s *Store) DeleteOrder(ctx context.Context, id uint64, allowed func(order.Order) (order.Fact, error)) error {
	return s.locked(ctx, id, func(ctx context.Context, tx transaction, found order.Order) (refusal, err error) {
		fact, refusal := allowed(found)
		if refusal != nil {
			return refusal, nil
		}
		if err := tx.DeleteOrder(ctx, id); err != nil {
			return nil, err
		}
		return nil, record(ctx, tx, fact)
	})
}

// locked runs work on a locked order in a transaction, which an error rolls back.
//
// A refusal is what work says of the order as it is, or that there is none. The transaction, which has written nothing
// then, is committed all the same: that notes how new the state is that the caller is told of, so that no replica shows it
// an older one afterwards.
func (s *Store) locked(
	ctx context.Context, id uint64, work func(context.Context, transaction, order.Order) (refusal, err error),
) error {
	var refusal error
	err := s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		tx := begun(writer)
		row, err := tx.GetOrderForUpdate(ctx, id)
		switch {
		case err == nil:
			refusal, err = work(ctx, tx, toOrder(row))
		case errors.Is(err, sql.ErrNoRows):
			refusal, err = notFound(err), nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refusal
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
