package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// The test is not parallel: the log of all statements is the whole server's.
func TestReadsAndWritesTakeFewStatements(t *testing.T) {
	d := newDatabase(t)
	stored := d.add(t, 1, "COUNT0000001", "p")
	d.add(t, 2, "COUNT0000002", "p")
	_, _, err := d.try(t, unkeyed, "COUNT0000007") // so that the process knows the name of its product, too
	require.NoError(t, err)
	list := func(request listing.Request) func() {
		return func() {
			_, err := d.Orders(d.told(t), order.Query{Request: request})
			require.NoError(t, err)
		}
	}
	last := func(customers int) func() {
		ids := make([]uint64, customers)
		for i := range ids {
			ids[i] = uint64(i) + 1
		}
		return func() {
			_, err := d.LastOrders(d.told(t), ids)
			require.NoError(t, err)
		}
	}
	update := func(change func(*order.Order)) func() {
		return func() {
			_, err := d.update(t.Context(), stored.ID, change)
			require.NoError(t, err)
		}
	}
	// A write's are what begins and ends its transaction, what it is about, the number that an order takes or gives up, an entry of
	// the timeline, and an event. A key adds two, and the name of a product that the process has not met before, one. A search also asks
	// whether all names are known, and for those that hold the words.
	for _, c := range []struct {
		name       string
		work       func()
		statements int
	}{
		{"an order", func() { d.get(t, stored.ID) }, 1},
		{"a timeline", func() { d.timeline(t, stored.ID) }, 3},
		{"an empty list", list(listing.Request{Limit: 30}.Only("customer", uint64(77))), 1},
		{"a list on one page", list(listing.Request{Limit: 30}), 2},
		{"a full page, which is counted", list(listing.Request{Limit: 1}), 3},
		{"a search", list(listing.Request{Limit: 30, Terms: []string{"p"}}), 4},
		{"a search in a state", list(listing.Request{Limit: 30, Terms: []string{"p"}}.Only("state", "paid")), 3},
		{"a search of a customer's orders", list(listing.Request{Limit: 30, Terms: []string{"p"}}.Only("customer", uint64(1))), 2},
		{"one last order", last(1), 1},
		{"500 last orders", last(orders.MaxCustomers), 1},
		{"a new order", func() { d.add(t, 1, "COUNT0000003", "p") }, 7},
		{"a new order with a key", func() {
			_, _, err := d.try(t, order.IdempotentRequest{CallerID: 1, Key: "key"}, "COUNT0000004")
			require.NoError(t, err)
		}, 9},
		{"a new order of a new product", func() { d.add(t, 1, "COUNT0000006", "q") }, 8},
		{"a change", update(func(o *order.Order) { o.ProductName = "q" }), 6},
		{"a change of the number", update(func(o *order.Order) { o.OrderNumber = "COUNT0000005" }), 8},
		{"a transition", func() { d.happens(t, stored.ID, order.Preparing, "") }, 6},
		{"a transition with a note", func() { d.happens(t, stored.ID, order.Cancelled, "note") }, 7},
		{"a change of the customer", update(func(o *order.Order) { o.CustomerID = 2 }), 8},
		{"a deletion", func() { d.remove(t, stored.ID) }, 8},
	} {
		require.Len(t, d.Statements(t, c.work), c.statements, c.name)
	}
}

func TestAPageWhoseCountIsRememberedTakesTwoStatements(t *testing.T) {
	d, _ := newLargeDatabase(t)
	for _, customerID := range []uint64{0, 1} {
		count := d.listed(t, d.told(t), customerID, listing.Request{Limit: 30}).Count
		for _, offset := range []int{0, 300, count - 30} {
			require.Len(t, d.Statements(t, func() { d.listed(t, d.told(t), customerID, listing.Request{Limit: 30, Offset: offset}) }), 2)
		}
	}
}

// An order that a replica does not have may be younger than what it has.
func TestAReplicaDeniesNoOrder(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	run := d.OnPrimaryAlone(t)
	run("INSERT INTO orders (id, customer_id, order_number, product_name, paid_at) VALUES (77, 7, 'PRIMARY00001', 'p', NOW())")
	run("INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note) VALUES (77, 7, NOW(), 7, 'paid', '')")
	require.Eventually(t, func() bool {
		page, err := d.Orders(t.Context(), order.Query{Request: listing.Request{Limit: 1}})
		require.NoError(t, err)
		last, err := d.LastOrders(t.Context(), []uint64{7})
		require.NoError(t, err)
		return len(page.Values) == 0 && len(last) == 0
	}, hanging, poll, "the replica is asked, and does not have it")
	found, err := d.Order(t.Context(), 77)
	require.NoError(t, err)
	require.Equal(t, "PRIMARY00001", found.OrderNumber)
	page, customerID, err := d.Timeline(t.Context(), 77, listing.Request{Limit: 1})
	require.NoError(t, err)
	require.Len(t, page.Values, 1)
	require.EqualValues(t, 7, customerID)
}
