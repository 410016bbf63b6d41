package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// walked reads the whole list forwards from a cursor, or backwards, and returns the numbers in the order of the list.
func (d database) walked(t *testing.T, query order.Query, back bool) (seen []string, last listing.Rows[order.Order]) {
	t.Helper()
	for query.Cursor != nil {
		page, err := d.Orders(d.told(t), query)
		require.NoError(t, err)
		require.Zero(t, page.Count, "nothing is counted")
		last = page
		if back {
			seen = append(numbers(page.Values), seen...)
			query.Cursor = page.Previous
		} else {
			seen = append(seen, numbers(page.Values)...)
			query.Cursor = page.Next
		}
	}
	return seen, last
}

func TestAWalkThereAndBackIsTheListInEveryOrdering(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	orders := assortment(t, d)
	for scope, matches := range scopes {
		for _, ordering := range everyOrdering() {
			query := order.Query{Request: listing.Request{Limit: 7, Matches: matches, Ordering: ordering, Cursor: &listing.Cursor{}}}
			want := numbers(sorted(filtered(orders, query), query))
			seen, last := d.walked(t, query, false)
			require.Equal(t, want, append([]string{}, seen...), "%s by %v", scope, ordering)
			if last.Previous == nil {
				continue
			}
			query.Cursor = last.Previous
			before, first := d.walked(t, query, true)
			require.Equal(t, want[:len(want)-len(last.Values)], before, "%s by %v, back", scope, ordering)
			require.Nil(t, first.Previous)
		}
	}
}

func TestAWalkMissesAndDoublesNoOrderWhileOthersComeAndGo(t *testing.T) {
	t.Parallel()
	for _, ordering := range [][]listing.Key{nil, {down("paymented_at")}, {up("product_name")}, {down("state"), up("customer")}} {
		for _, terms := range [][]string{nil, {"abcdef"}} {
			t.Run(fmt.Sprint(ordering, terms), func(t *testing.T) {
				t.Parallel()
				d := newDatabase(t)
				before := assortment(t, d)
				seen, gone := map[string]int{}, map[string]bool{}
				leave := func(o order.Order) {
					if !gone[o.OrderNumber] {
						d.remove(t, o.ID)
						gone[o.OrderNumber] = true
					}
				}
				query := order.Query{Request: listing.Request{Ordering: ordering, Terms: terms}}
				next := listing.Walk(query.Request, 5, func(ctx context.Context, request listing.Request) (listing.Rows[order.Order], error) {
					query.Request = request
					return d.Orders(ctx, query)
				})
				for page := 0; ; page++ {
					orders, err := next(d.told(t))
					require.NoError(t, err)
					if len(orders) == 0 {
						break
					}
					for _, o := range orders {
						seen[o.OrderNumber]++
					}
					leave(orders[len(orders)-1]) // the one at the cursor
					leave(before[page*3%len(before)])
					if page < 20 {
						d.add(t, 7, fmt.Sprintf("NEW%03dABCDEF", page), "cherry")
					}
				}
				for number, count := range seen {
					require.Equal(t, 1, count, number)
				}
				for _, o := range before {
					require.True(t, gone[o.OrderNumber] || seen[o.OrderNumber] == 1, "%s was there all the time", o.OrderNumber)
				}
			})
		}
	}
}

func TestFromAnEmptyPageTheWalkGoesBackToTheRowBeside(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	first, second := d.add(t, 1, "AAAA00000001", "p"), d.add(t, 1, "AAAA00000002", "p")
	query := order.Query{Request: listing.Request{Limit: 1, Cursor: &listing.Cursor{}}}
	page, err := d.Orders(d.told(t), query)
	require.NoError(t, err)
	require.Equal(t, []order.Order{first}, page.Values)
	require.Nil(t, page.Previous)
	d.remove(t, second.ID)

	query.Cursor = page.Next
	page, err = d.Orders(d.told(t), query)
	require.NoError(t, err)
	require.Empty(t, page.Values)
	require.Nil(t, page.Next)

	query.Cursor = page.Previous
	page, err = d.Orders(d.told(t), query)
	require.NoError(t, err)
	require.Equal(t, []order.Order{first}, page.Values)
	require.Nil(t, page.Previous)
}

func TestACursorOfAnotherOrderingIsInvalid(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.add(t, 1, "AAAA00000001", "p")
	d.add(t, 1, "AAAA00000002", "p")
	query := order.Query{Request: listing.Request{Limit: 1, Ordering: []listing.Key{up("product_name")}, Cursor: &listing.Cursor{}}}
	page, err := d.Orders(d.told(t), query)
	require.NoError(t, err)
	query.Cursor, query.Ordering = page.Next, []listing.Key{down("product_name")}
	_, err = d.Orders(d.told(t), query)
	require.Equal(t, fault.NotFound, fault.Of(err).Code)
}
