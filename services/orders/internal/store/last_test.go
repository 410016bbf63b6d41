package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/orders/internal/order"
)

func TestTheLastOrderOfEachCustomerThatHasOne(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.add(t, 1, "ONE000000001", "first of 1")
	lastOf2 := d.add(t, 2, "TWO000000001", "only of 2")
	// The last one is the one that was made last, whatever its time and number.
	lastOf1 := d.addOrder(t, order.Order{
		CustomerID: 1, OrderNumber: "000000000000", ProductName: "last of 1", PaidAt: paidAt.Add(-time.Hour),
	})
	lastOf3 := d.add(t, 3, "THREE0000001", "only of 3")
	require.NoError(t, d.Pair.Sync(t.Context()))

	cases := map[string]struct {
		customers []uint64
		want      []order.Order
	}{
		"nobody":                  {nil, []order.Order{}},
		"a customer without any":  {[]uint64{77}, []order.Order{}},
		"one":                     {[]uint64{1}, []order.Order{lastOf1}},
		"several":                 {[]uint64{2, 1}, []order.Order{lastOf1, lastOf2}},
		"some of them with none":  {[]uint64{3, 77, 1, 78}, []order.Order{lastOf1, lastOf3}},
		"one that is named twice": {[]uint64{2, 2}, []order.Order{lastOf2}},
	}
	for name, c := range cases {
		for _, ctx := range []context.Context{d.told(t), t.Context()} {
			found, err := d.LastOrders(ctx, c.customers)
			require.NoError(t, err, name)
			require.ElementsMatch(t, c.want, found, name)
		}
	}
}

func TestADeletedLastOrderGivesWayToTheOneBefore(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	first, second := d.add(t, 1, "FIRST0000001", "p"), d.add(t, 1, "SECOND000001", "p")
	for _, step := range []struct {
		want []order.Order
		then uint64
	}{{[]order.Order{second}, second.ID}, {[]order.Order{first}, first.ID}} {
		found, err := d.LastOrders(d.told(t), []uint64{1})
		require.NoError(t, err)
		require.Equal(t, step.want, found)
		d.remove(t, step.then)
	}
	found, err := d.LastOrders(d.told(t), []uint64{1})
	require.NoError(t, err)
	require.Empty(t, found)
}
