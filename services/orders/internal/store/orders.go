package store

import (
	"context"

	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Order returns one order.
func (s *Store) Order(ctx context.Context, id uint64) (order.Order, error) {
	var row sqlcgen.Order
	err := s.readThrough(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		row, err = queries.GetOrder(ctx, id)
		return notFound(err)
	})
	return toOrder(row), err
}

// LastOrders returns the last order of each customer, in one statement.
func (s *Store) LastOrders(ctx context.Context, customerIDs []uint64) ([]order.Order, error) {
	var rows []sqlcgen.Order
	err := s.read(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		rows, err = queries.ListLastOrders(ctx, customerIDs)
		return err
	})
	return toOrders(rows), err
}
