package store

import (
	"context"
	"time"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/store/sqlcgen"
)

// AddFormerCustomer notes in a transaction that there are no new orders for the customer.
func AddFormerCustomer(ctx context.Context, writer mysqlx.Writer, customerID uint64, deletedAt time.Time) error {
	return sqlcgen.New(writer).InsertFormerCustomer(ctx, sqlcgen.InsertFormerCustomerParams{
		CustomerID: customerID, DeletedAt: deletedAt,
	})
}
