package store_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

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
	"state":        func(a, b order.Order) int { return cmp.Compare(a.State, b.State) },
	"paymented_at": func(a, b order.Order) int { return a.PaidAt.Compare(b.PaidAt) },
}

// sorted returns the orders as the query wants them. Those that tie follow their ids, in the direction of the last key.
func sorted(orders []order.Order, query order.Query) []order.Order {
	keys := append(slices.Clone(query.Ordering), listing.Key{Field: "id"})
	if len(keys) > 1 {
		keys[len(keys)-1].Descending = keys[len(keys)-2].Descending
	}
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

// matching says by field whether an order matches a filter.
var matching = map[string]func(o order.Order, match listing.Match) bool{
	"customer":     func(o order.Order, match listing.Match) bool { return o.CustomerID == match.Values[0] },
	"order_number": func(o order.Order, match listing.Match) bool { return o.OrderNumber == match.Values[0] },
	"product_name": func(o order.Order, match listing.Match) bool {
		name, _ := match.Values[0].(string)
		return strings.EqualFold(o.ProductName, name)
	},
	"state": func(o order.Order, match listing.Match) bool {
		return slices.Contains(match.Values, any(string(o.State)))
	},
	"paymented_at": func(o order.Order, match listing.Match) bool {
		at, _ := match.Values[0].(time.Time)
		return o.PaidAt.Before(at) == (match.Op == listing.Below)
	},
}

// filtered returns the orders that match the query's filters.
func filtered(orders []order.Order, query order.Query) []order.Order {
	return slices.DeleteFunc(slices.Clone(orders), func(o order.Order) bool {
		return slices.ContainsFunc(query.Matches, func(match listing.Match) bool { return !matching[match.Field](o, match) })
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
