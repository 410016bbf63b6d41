package store

import (
	"context"
	"encoding/json"
	"fmt"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/idempotency"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
)

// once runs work in a transaction, unless the same request was done before: then it returns the order of that time. An
// error of work rolls the transaction back, together with the claim on the request's key.
func (s *Store) once(
	ctx context.Context, request order.IdempotentRequest, work func(context.Context, transaction) (order.Order, error),
) (result order.Order, replayed bool, err error) {
	var tx transaction
	kept, replayed, err := idempotency.Once(ctx, s.cluster, idempotency.Request(request), s.now(),
		func(ctx context.Context, writer mysqlx.Writer) (_ []byte, err error) {
			tx = s.begun(writer)
			if result, err = work(ctx, tx); err != nil || request.Key == "" {
				return nil, err
			}
			return json.Marshal(answer{result.Contract(), result.Version})
		})
	switch {
	case replayed:
		result, err = fromAnswer(kept)
	case err == nil:
		tx.naming.committed()
	}
	return result, replayed, err
}

// Answered returns what a request was answered with before.
func (s *Store) Answered(ctx context.Context, request order.IdempotentRequest) (answered order.Order, found bool, err error) {
	kept, err := idempotency.Find(ctx, s.cluster, idempotency.Request(request))
	if err != nil || kept == nil {
		return order.Order{}, false, err
	}
	answered, err = fromAnswer(kept)
	return answered, err == nil, err
}

// answer is what is kept of a request.
type answer struct {
	orders.Order
	Version uint64 `json:"version"`
}

func fromAnswer(encoded []byte) (order.Order, error) {
	var kept answer
	if err := json.Unmarshal(encoded, &kept); err != nil {
		return order.Order{}, fmt.Errorf("kept answer: %w", err)
	}
	return order.Order{
		ID: kept.ID, CustomerID: kept.CustomerID, OrderNumber: kept.OrderNumber, ProductName: kept.ProductName,
		PaidAt: kept.PaidAt, State: order.State(kept.State), Version: kept.Version,
	}, nil
}
