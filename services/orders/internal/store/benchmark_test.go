package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx/mysqlxtest"
)

// The last orders of a page of members, as accounts asks for them.
func BenchmarkLastOrders(b *testing.B) {
	const customers = 1000
	d := newDatabase(b)
	_, err := d.Root.ExecContext(b.Context(), "INSERT INTO orders (customer_id, order_number, product_name, paid_at)"+
		" SELECT n % 1000 + 1, LPAD(n, 12, '0'), 'p', '2026-11-23' FROM "+mysqlxtest.Numbers(5*customers))
	require.NoError(b, err)
	require.NoError(b, d.Pair.Sync(b.Context()))
	for _, count := range []int{30, 500} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			page := make([]uint64, count)
			for i := range page {
				page[i] = uint64(i*(customers/count) + 1)
			}
			b.ReportAllocs()
			for b.Loop() {
				if found, err := d.LastOrders(b.Context(), page); err != nil || len(found) != count {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}
