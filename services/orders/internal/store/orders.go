package store

import (
	"context"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Order returns one order, which only the primary may deny.
func (s *Store) Order(ctx context.Context, id uint64) (order.Order, error) {
	var row sqlcgen.Order
	err := s.cluster.ReadThrough(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		row, err = sqlcgen.New(reader).GetOrder(ctx, id)
		return notFound(err)
	})
	return toOrder(row), err
}

// LastOrders returns the last order of each customer, in one statement. It may lack what others wrote within the last seconds.
func (s *Store) LastOrders(ctx context.Context, customerIDs []uint64) ([]order.Order, error) {
	var rows []sqlcgen.Order
	err := s.cluster.Read(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		rows, err = sqlcgen.New(reader).ListLastOrders(ctx, customerIDs)
		return err
	})
	last := make([]order.Order, len(rows))
	for i, row := range rows {
		last[i] = toOrder(row)
	}
	return last, err
}
