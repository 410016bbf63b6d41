package store

import (
	"context"
	"slices"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// productNames is the table of all names of products, in which searches look before they look at orders.
var productNames = &listsql.Table{
	Name:    "product_names",
	Columns: map[string]listsql.Column{"name": {Name: "name", Kind: listsql.Caseless}},
}

const (
	// A search whose words stand in more names looks at every order: then one order in few holds them. MariaDB would make a table of
	// a longer list of names.
	maxNames = 500
	// fewOrders are looked at one by one sooner than the names.
	fewOrders = 5000
)

// narrowing are the filters that leave few orders, which a search then looks at.
var narrowing = []string{"customer", "order_number", "product_name"}

// searching returns the plan of a search: one that reads only the orders which indexes find, where that takes less than to look at all
// orders that the filters leave, and the plan as it is otherwise. A page by cursor walks through the orders, because the next page goes on
// where it ended.
func searching(ctx context.Context, reader mysqlx.Reader, query order.Query, plan listsql.Plan) (listsql.Plan, error) {
	narrow := func(match listing.Match) bool { return slices.Contains(narrowing, match.Field) }
	if len(query.Terms) == 0 || query.Cursor != nil || slices.ContainsFunc(query.Matches, narrow) {
		return plan, nil
	}
	if few, err := leavesFew(ctx, reader, query.Matches); err != nil || few {
		return plan, err
	}
	complete, err := sqlcgen.New(reader).GetProductNamesComplete(ctx)
	if err != nil || !complete {
		return plan, err
	}
	names, err := namesWith(ctx, reader, query.Terms)
	if err != nil || len(names) > maxNames {
		return plan, err
	}
	ways, all := Ways(query, names)
	var still []listsql.Condition
	if !all {
		still = found(query)
	}
	if plan, err = List.Plan(query.Request, still...); err != nil {
		return plan, err
	}
	return plan.Among(ways...), nil
}

// leavesFew says whether the filters leave few orders. It skips so many entries of an index.
func leavesFew(ctx context.Context, reader mysqlx.Reader, matches []listing.Match) (bool, error) {
	if len(matches) == 0 {
		return false, nil
	}
	plan, err := List.Plan(listing.Request{Matches: matches, Ordering: order.List.DefaultOrdering(matches), Limit: 1, Offset: fewOrders})
	if err != nil || !plan.Direct() {
		return false, err
	}
	beyond, err := listsql.IDs(ctx, reader, plan)
	return len(beyond) == 0, err
}

// namesWith returns the names that hold every term, or some more than maxNames of them.
func namesWith(ctx context.Context, reader mysqlx.Reader, terms []string) (names []string, err error) {
	var conditions []listsql.Condition
	for _, term := range terms {
		conditions = append(conditions, listsql.Contains("name", term))
	}
	statement := listsql.Texts(productNames, "name", maxNames+1, conditions...)
	rows, err := reader.QueryContext(ctx, statement.SQL, statement.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports errors
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Ways returns the ways to all orders that meet every term: either the product holds them all, or one of them matches the number or the
// customer. all says that every order that is found meets them all.
func Ways(query order.Query, names []string) (ways []listsql.Way, all bool) {
	var customers []uint64
	for _, matching := range query.Customers {
		customers = append(customers, matching...)
	}
	slices.Sort(customers)
	if customers = slices.Compact(customers); len(customers) > 0 {
		ways = append(ways, listsql.Way{Index: "orders_customer", Where: []listsql.Condition{listsql.In("customer", customers)}})
	}
	var numbers []listsql.Condition
	for _, term := range query.Terms {
		switch number := toNumber(term); {
		case !order.NumberPattern.MatchString(number) || len(number) > order.NumberLength:
		case len(number) == order.NumberLength:
			numbers = append(numbers, listsql.Is("order_number", number))
		default:
			numbers = append(numbers, listsql.Contains("order_number", number))
		}
	}
	if len(numbers) > 0 {
		ways = append(ways, listsql.Way{Index: "orders_number", Where: []listsql.Condition{listsql.Any(numbers...)}})
	}
	all = len(ways) == 0 || len(query.Terms) == 1
	if len(names) > 0 || len(ways) == 0 {
		ways = append(ways, listsql.Way{Index: "orders_product", Where: []listsql.Condition{listsql.Exactly("product_name", names)}})
	}
	return ways, all
}
