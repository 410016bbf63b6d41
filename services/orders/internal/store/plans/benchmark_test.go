package plans_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
	"oms.internal/orders/internal/store/sqlcgen"
	schemas "oms.internal/sql"
)

// Pages of a million orders, and what the same page costs without a count: go test -run - -bench . ./services/orders/internal/store/plans
func BenchmarkPages(b *testing.B) {
	d := mysqlxtest.New(b, schemas.Orders())
	fill(b, d)
	ctx := consistency.Into(b.Context(), consistency.Newest)
	orders := store.New(d.Cluster, time.Now)
	byTime := []listing.Key{{Field: "paymented_at"}}
	for _, c := range []struct {
		name    string
		request listing.Request
	}{
		{"first", listing.Request{}},
		{"last", listing.Request{Offset: filledOrders - 30}},
		{"150000 by time", listing.Request{Offset: filledOrders * 15 / 100, Ordering: byTime}},
		{"own of 5", listing.Request{}.Only("customer", someCustomer)},
		{"own of 60000", listing.Request{}.Only("customer", greatCustomer)},
	} {
		c.request.Limit = 30
		_, err := orders.Orders(ctx, order.Query{Request: c.request}) // counts, and remembers it
		require.NoError(b, err)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, err := orders.Orders(ctx, order.Query{Request: c.request})
				require.NoError(b, err)
			}
		})
		plan, err := store.List.Plan(c.request)
		require.NoError(b, err)
		statement := plan.IDs()
		b.Run(c.name+" bare", func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, d.Cluster.ReadLatest(ctx, func(ctx context.Context, reader mysqlx.Reader) error {
					return bare(ctx, reader, statement.SQL, statement.Args)
				}))
			}
		})
	}
}

// bare reads the ids of a page and its rows.
func bare(ctx context.Context, reader mysqlx.Reader, statement string, args []any) error {
	rows, err := reader.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // its rows are read
	var ids []uint64
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = sqlcgen.New(reader).ListOrdersByIDs(ctx, ids)
	return err
}
