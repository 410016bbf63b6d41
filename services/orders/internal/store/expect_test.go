package store_test

import (
	"cmp"
	"slices"
	"strings"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// compare orders two orders by each field as the database is to: texts without regard to case, times by the clock.
var compare = map[string]func(a, b order.Order) int{
	"id":           func(a, b order.Order) int { return cmp.Compare(a.ID, b.ID) },
	"customer":     func(a, b order.Order) int { return cmp.Compare(a.CustomerID, b.CustomerID) },
	"order_number": func(a, b order.Order) int { return cmp.Compare(a.OrderNumber, b.OrderNumber) },
	"product_name": func(a, b order.Order) int {
		return cmp.Compare(strings.ToLower(a.ProductName), strings.ToLower(b.ProductName))
	},
	"paymented_at": func(a, b order.Order) int { return a.PaidAt.Compare(b.PaidAt) },
}

// sorted returns the orders as the query wants them. Those that tie follow their ids: upwards, unless the only key
// descends and an index serves it backwards.
func sorted(orders []order.Order, query order.Query) []order.Order {
	backwards := len(query.Ordering) == 1 && query.Ordering[0].Descending && len(query.Terms) == 0 && query.ProductName == ""
	keys := append(slices.Clone(query.Ordering), listing.Key{Field: "id", Descending: backwards})
	result := slices.Clone(orders)
	slices.SortFunc(result, func(a, b order.Order) int {
		for _, key := range keys {
			result := compare[key.Field](a, b)
			if key.Descending {
				result = -result
			}
			if result != 0 {
				return result
			}
		}
		return 0
	})
	return result
}

// filtered returns the orders of the query's customer and product.
func filtered(orders []order.Order, query order.Query) []order.Order {
	return slices.DeleteFunc(slices.Clone(orders), func(o order.Order) bool {
		return query.CustomerID != 0 && o.CustomerID != query.CustomerID ||
			query.ProductName != "" && !strings.EqualFold(o.ProductName, query.ProductName)
	})
}

// window returns the query's page.
func window(orders []order.Order, query order.Query) []order.Order {
	from := min(query.Offset, len(orders))
	return orders[from:min(from+query.Limit, len(orders))]
}

func numbers(orders []order.Order) []string {
	result := []string{}
	for _, o := range orders {
		result = append(result, o.OrderNumber)
	}
	return result
}
