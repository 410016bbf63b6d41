package store

import (
	"context"
	"database/sql"
	"errors"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
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

// change stores the order of the fact in the place of the locked one, or removes it. As in insert, it locks a number among the
// orders before it locks it in order_numbers, so that writes do not wait for each other in a circle.
func change(ctx context.Context, tx transaction, before order.Order, fact order.Fact) error {
	after := fact.Order
	if fact.Event == orders.EventDeleted {
		if err := tx.DeleteOrder(ctx, before.ID); err != nil {
			return err
		}
		if err := listsql.Note(ctx, tx.writer, List, moved(before, -1)); err != nil {
			return err
		}
		return keepNumber(ctx, tx, before)
	}
	if err := refuseFormer(ctx, tx, before, fact); err != nil {
		return err
	}
	if after.ProductName != before.ProductName {
		if err := tx.naming.name(ctx, tx.writer, after.ProductName); err != nil {
			return err
		}
	}
	err := tx.UpdateOrder(ctx, sqlcgen.UpdateOrderParams{
		ID: before.ID, CustomerID: after.CustomerID, OrderNumber: after.OrderNumber, ProductName: after.ProductName,
		State: string(after.State), Version: after.Version,
	})
	if err == nil && after.CustomerID != before.CustomerID {
		err = listsql.Note(ctx, tx.writer, List, moved(before, -1), moved(after, 1))
	}
	if err != nil || after.OrderNumber == before.OrderNumber {
		return numberTaken(err)
	}
	if err := keepNumber(ctx, tx, before); err != nil {
		return err
	}
	return takeNumber(ctx, tx, after)
}

// moved says that the order's customer got it, or has lost it, for the processes that remember how many orders there are.
func moved(of order.Order, gained int) listsql.Move {
	return listsql.Move{Row: of.ID, Scope: of.CustomerID, Gained: gained}
}

// takeNumber notes that the order has its number from now on. One that another order has or had is taken; the order may
// have its own former numbers again.
func takeNumber(ctx context.Context, tx transaction, taker order.Order) error {
	err := tx.InsertOrderNumber(ctx, sqlcgen.InsertOrderNumberParams{OrderNumber: taker.OrderNumber, OrderID: taker.ID})
	if !mysqlx.IsDuplicate(err) {
		return err
	}
	owner, err := tx.GetOrderOfNumber(ctx, taker.OrderNumber)
	if errors.Is(err, sql.ErrNoRows) || err == nil && owner != taker.ID {
		return order.ErrNumberTaken // no row: another order took it after this transaction began to read
	}
	return err
}

// keepNumber notes the number of an order that gives it up, if it has not been noted: a process of an earlier release may
// have created the order.
func keepNumber(ctx context.Context, tx transaction, giver order.Order) error {
	return tx.InsertOrderNumberIfMissing(ctx, sqlcgen.InsertOrderNumberIfMissingParams{OrderNumber: giver.OrderNumber, OrderID: giver.ID})
}

// refuseFormer refuses an order for a customer whose deletion has been heard of, and a note about one. Only for a note it takes
// a lock until the transaction ends: a note that is committed beside a deletion would stay, while an order is as one that was
// placed just before. If every order took the lock, a deletion might never find a moment without it.
func refuseFormer(ctx context.Context, tx transaction, before order.Order, fact order.Fact) error {
	customerID := fact.Order.CustomerID
	count := tx.CountFormerCustomers
	switch {
	case fact.Note != "":
		count = tx.CountFormerCustomersInShareMode
	case customerID == before.CustomerID:
		return nil
	}
	former, err := count(ctx, customerID)
	switch {
	case err != nil || former == 0:
		return err
	case customerID != before.CustomerID:
		return order.NoSuchCustomer(customerID)
	default:
		return order.ErrNoteAboutFormerCustomer
	}
}

// record writes the fact where others find it: into the timeline and into the outbox.
func record(ctx context.Context, tx transaction, fact order.Fact) error {
	if err := appendStep(ctx, tx, fact.Order.ID, fact.Step()); err != nil {
		return err
	}
	return appendEvent(ctx, tx, fact)
}
