package store_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// assortment fills the schema with orders whose every field but id and number ties with that of others, and whose fields
// sort differently.
func assortment(t *testing.T, d database) []order.Order {
	t.Helper()
	const count = 60
	products := []string{"banana", "Apple", "무지개 미니낭초", "apple", "BANANA", "꼬막무침 🍤", "cherry", "apple"}
	var orders []order.Order
	for i := range count {
		orders = append(orders, d.addOrder(t, order.Order{
			CustomerID:  []uint64{7, 1000, 20}[i*i%3+i%2], // also: 7 < 20 < 1000 as numbers, not as texts
			OrderNumber: fmt.Sprintf("%06dABCDEF", (i*37)%count),
			ProductName: products[i%len(products)],
			PaidAt:      paidAt.Add(time.Duration(i*13%5) * 7 * time.Microsecond),
			State:       order.States()[i*7%11%5],
		}))
	}
	return orders
}

// is, states and paid are what filters demand.
func is(field string, value any) listing.Match {
	return listing.Match{Field: field, Op: listing.Is, Values: []any{value}}
}

func states(names ...any) listing.Match {
	return listing.Match{Field: "state", Op: listing.In, Values: names}
}

func paid(op listing.Op, microseconds int) listing.Match {
	return listing.Match{Field: "paymented_at", Op: op, Values: []any{paidAt.Add(time.Duration(microseconds) * time.Microsecond)}}
}

// The first and the last time that a column can hold, as listing.ParseTime makes them of what is beyond.
var (
	firstTime = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// scopes are the filters that a list may be restricted by.
var scopes = map[string][]listing.Match{
	"all":                       nil,
	"a customer":                {is("customer", uint64(7))},
	"a customer without any":    {is("customer", uint64(77))},
	"a product":                 {is("product_name", "Apple")},
	"a product nobody buys":     {is("product_name", "app")},
	"both":                      {is("customer", uint64(20)), is("product_name", "apple")},
	"both, Korean and emoji":    {is("customer", uint64(7)), is("product_name", "꼬막무침 🍤")},
	"both, another emoji":       {is("customer", uint64(7)), is("product_name", "꼬막무침 🍣")},
	"a number":                  {is("order_number", "000037ABCDEF")},
	"a number nobody has":       {is("order_number", "000099ABCDEF")},
	"a state":                   {states("paid")},
	"states":                    {states("shipped", "paid")},
	"states of a customer":      {is("customer", uint64(20)), states("cancelled", "delivered", "paid")},
	"a product in states":       {is("product_name", "banana"), states("paid", "shipped")},
	"a time":                    {paid(listing.AtLeast, 7), paid(listing.Below, 21)},
	"a time and states":         {paid(listing.AtLeast, 7), states("paid", "preparing")},
	"a time, a state, all":      {paid(listing.Below, 21), states("shipped"), is("customer", uint64(7))},
	"a time and a product":      {paid(listing.AtLeast, 8), is("product_name", "APPLE")},
	"no state":                  {states("")},
	"no state of a customer":    {is("customer", uint64(7)), states("")},
	"since ever":                {{Field: "paymented_at", Op: listing.AtLeast, Values: []any{firstTime}}},
	"before ever":               {{Field: "paymented_at", Op: listing.Below, Values: []any{firstTime}}},
	"until the end of time":     {{Field: "paymented_at", Op: listing.Below, Values: []any{lastTime}}},
	"from the end of time":      {{Field: "paymented_at", Op: listing.AtLeast, Values: []any{lastTime}}, states("paid", "shipped")},
	"a number in another state": {is("order_number", "000037ABCDEF"), states("cancelled")},
}

func up(field string) listing.Key   { return listing.Key{Field: field} }
func down(field string) listing.Key { return listing.Key{Field: field, Descending: true} }

// everyOrdering is none, each field both ways, and some of several fields.
func everyOrdering() [][]listing.Key {
	orderings := [][]listing.Key{
		nil,
		{up("customer"), down("paymented_at")},
		{down("product_name"), up("customer"), down("id")},
		{up("product_name"), down("paymented_at"), up("order_number")},
		{down("paymented_at"), down("customer")},
		{down("customer"), up("product_name"), down("paymented_at")},
		{up("order_number"), down("id")},
		{down("id"), up("customer")},
		{down("state"), down("paymented_at")},
		{up("state"), down("product_name")},
	}
	for _, field := range order.List.Ordering {
		orderings = append(orderings, []listing.Key{up(field)}, []listing.Key{down(field)})
	}
	return orderings
}

// pages are windows at the beginning, in the middle, at the end and past it.
var pages = []listing.Request{
	{Limit: 7}, {Limit: 7, Offset: 7}, {Limit: 7, Offset: 56}, {Limit: 1, Offset: 59}, {Limit: 30, Offset: 30},
	{Limit: listing.MaxLimit}, {Limit: 7, Offset: 60}, {Limit: 7, Offset: math.MaxInt32},
}

// A term that is in every number makes a search of the list, which other statements serve.
func TestEveryListAndEverySearchIsSortedAndCutAsAsked(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	orders := assortment(t, d)
	for _, terms := range [][]string{nil, {"abcdef"}} {
		for scope, matches := range scopes {
			for _, ordering := range everyOrdering() {
				for _, page := range pages {
					page.Ordering, page.Matches, page.Terms = ordering, matches, terms
					query := order.Query{Request: page}
					want := sorted(filtered(orders, query), query)
					found, err := d.Orders(d.told(t), query)
					require.NoError(t, err)
					require.Equal(t, len(want), found.Count)
					require.True(t, slices.Equal(window(want, query), found.Values), "%s by %v, searching %v: %v", scope, ordering, terms, found.Values)
				}
			}
		}
	}
}
