package store

import (
	"context"

	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// CreateOrder stores the order.
func (s *Store) CreateOrder(ctx context.Context, created order.Order) (order.Order, error) {
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		id, err := queries.InsertOrder(ctx, sqlcgen.InsertOrderParams{
			CustomerID: created.CustomerID, OrderNumber: created.OrderNumber,
			ProductName: created.ProductName, PaidAt: created.PaidAt,
		})
		created.ID = uint64(id)
		return numberTaken(err)
	})
	return created, err
}

// Order returns one order.
func (s *Store) Order(ctx context.Context, id uint64) (order.Order, error) {
	var row sqlcgen.Order
	err := s.read(ctx, order.Latest, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		row, err = queries.GetOrder(ctx, id)
		return notFound(err)
	})
	return toOrder(row), err
}

// LastOrders returns the last order of each customer, in one statement.
func (s *Store) LastOrders(ctx context.Context, customerIDs []uint64, freshness order.Freshness) ([]order.Order, error) {
	var rows []sqlcgen.Order
	err := s.read(ctx, freshness, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		rows, err = queries.ListLastOrders(ctx, customerIDs)
		return err
	})
	return toOrders(rows), err
}

// UpdateOrder lets change alter the locked order and stores it.
func (s *Store) UpdateOrder(ctx context.Context, id uint64, change func(*order.Order) error) (order.Order, error) {
	var changed order.Order
	err := s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetOrderForUpdate(ctx, id)
		if err != nil {
			return notFound(err)
		}
		changed = toOrder(row)
		if err := change(&changed); err != nil {
			return err
		}
		return numberTaken(queries.UpdateOrder(ctx, sqlcgen.UpdateOrderParams{
			ID: id, CustomerID: changed.CustomerID, OrderNumber: changed.OrderNumber, ProductName: changed.ProductName,
		}))
	})
	return changed, err
}

// DeleteOrder removes the order if allowed lets it.
func (s *Store) DeleteOrder(ctx context.Context, id uint64, allowed func(order.Order) error) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetOrderForUpdate(ctx, id)
		if err != nil {
			return notFound(err)
		}
		if err := allowed(toOrder(row)); err != nil {
			return err
		}
		return queries.DeleteOrder(ctx, id)
	})
}
