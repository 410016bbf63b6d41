package store

import (
	"context"
	"encoding/json"
	"fmt"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// CreateOrder stores a new order, or finds what the same attempt stored before.
func (s *Store) CreateOrder(
	ctx context.Context, attempt order.Attempt, compose func() (order.Fact, error),
) (order.Order, bool, error) {
	var created order.Order
	answer, replayed, err := idempotency.Once(ctx, s.cluster, idempotency.Request(attempt), s.now(),
		func(ctx context.Context, writer mysqlx.Writer) ([]byte, error) {
			fact, err := compose()
			if err != nil {
				return nil, err
			}
			created, err = insert(ctx, begun(writer), fact)
			if err != nil || attempt.Key == "" {
				return nil, err
			}
			return toAnswer(created)
		})
	if replayed {
		created, err = fromAnswer(answer)
	}
	return created, replayed, err
}

func insert(ctx context.Context, tx transaction, fact order.Fact) (order.Order, error) {
	if err := refuseFormer(ctx, tx, fact.Order.CustomerID); err != nil {
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
	return fact.Order, record(ctx, tx, fact)
}

// answer is what an attempt is remembered with.
type answer struct {
	orders.Order
	Version uint64 `json:"version"`
}

func toAnswer(created order.Order) ([]byte, error) {
	return json.Marshal(answer{toContract(created), created.Version})
}

func fromAnswer(encoded []byte) (order.Order, error) {
	var kept answer
	if err := json.Unmarshal(encoded, &kept); err != nil {
		return order.Order{}, fmt.Errorf("answer of an attempt: %w", err)
	}
	return order.Order{
		ID: kept.ID, CustomerID: kept.CustomerID, OrderNumber: kept.OrderNumber, ProductName: kept.ProductName,
		PaidAt: kept.PaidAt, State: order.State(kept.State), Version: kept.Version,
	}, nil
}
