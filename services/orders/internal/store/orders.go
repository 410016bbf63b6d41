package store

import (
	"context"
	"database/sql"
	"errors"

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

// Timeline returns the steps of an order and whose it is, in two statements.
func (s *Store) Timeline(ctx context.Context, id uint64) (steps []order.Step, customerID uint64, err error) {
	err = s.readThrough(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetOrder(ctx, id)
		gone := errors.Is(err, sql.ErrNoRows)
		if err != nil && !gone {
			return err
		}
		rows, err := queries.ListTimeline(ctx, sqlcgen.ListTimelineParams{OrderID: id, Limit: order.MaxTimeline})
		if err != nil {
			return err
		}
		steps, customerID = toSteps(rows), row.CustomerID
		if !gone {
			return nil
		}
		// On a replica the order and the end of its timeline may be missing alike.
		if len(steps) == 0 || steps[len(steps)-1].To != order.Deleted {
			return notFound(sql.ErrNoRows)
		}
		customerID = steps[len(steps)-1].CustomerID
		return nil
	})
	return steps, customerID, err
}

func toSteps(rows []sqlcgen.OrderTimeline) []order.Step {
	steps := make([]order.Step, len(rows))
	for i, row := range rows {
		steps[i] = order.Step{
			At: row.At, ActorID: row.ActorID, CustomerID: row.CustomerID,
			From: order.State(row.FromState.String), To: order.State(row.ToState), Note: row.Note,
		}
	}
	return steps
}
