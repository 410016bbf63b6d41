package store

import (
	"context"

	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// CreateOrder stores a new order.
func (s *Store) CreateOrder(ctx context.Context, request order.IdempotentRequest, fact order.Fact) (order.Order, bool, error) {
	return s.once(ctx, request, func(ctx context.Context, tx transaction) (order.Order, error) { return insert(ctx, tx, fact) })
}

func insert(ctx context.Context, tx transaction, fact order.Fact) (order.Order, error) {
	if err := refuseFormer(ctx, tx, order.Order{}, fact); err != nil {
		return order.Order{}, err
	}
	if err := tx.naming.name(ctx, tx.writer, fact.Order.ProductName); err != nil {
		return order.Order{}, err
	}
	id, err := tx.InsertOrder(ctx, sqlcgen.InsertOrderParams{
		CustomerID: fact.Order.CustomerID, OrderNumber: fact.Order.OrderNumber, ProductName: fact.Order.ProductName,
		PaidAt: fact.Order.PaidAt, State: string(fact.Order.State), Version: fact.Order.Version,
	})
	if err != nil {
		return order.Order{}, numberTaken(err)
	}
	fact.Order.ID = uint64(id)
	if err := takeNumber(ctx, tx, fact.Order); err != nil {
		return order.Order{}, err
	}
	return fact.Order, record(ctx, tx, fact)
}
