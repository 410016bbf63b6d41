package store

import (
	"context"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Orders returns one page in at most three statements: the ids, their number unless the page tells it, the rows.
func (s *Store) Orders(ctx context.Context, query order.Query) ([]order.Order, int, error) {
	var orders []order.Order
	var count int
	read := s.read
	if searches(query) {
		read = s.readSlowly
	}
	err := read(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		list, total := plan(query)
		orders, count, err = listing.Statements[*sqlcgen.Queries, sqlcgen.Order, order.Order]{
			IDs: list, Count: total, Rows: queries.ListOrdersByIDs,
			Value: func(row sqlcgen.Order) (uint64, order.Order) { return row.ID, toOrder(row) },
		}.Read(ctx, queries, query.Request)
		return err
	})
	return orders, count, err
}

type (
	idsQuery   func(context.Context, *sqlcgen.Queries) ([]uint64, error)
	countQuery func(context.Context, *sqlcgen.Queries) (int64, error)
)

// plan chooses the queries for a list: those that an index serves where there are some, else the search.
func plan(query order.Query) (idsQuery, countQuery) {
	key, _ := singleKey(query.Ordering)
	switch {
	case searches(query):
		return search(query)
	case query.ProductName == "" && query.CustomerID == 0:
		return all(key, query)
	case query.ProductName == "":
		return ofCustomer(key, query)
	}
	return ofProduct(key, query)
}

// searches says that no index serves the whole query.
func searches(query order.Query) bool {
	key, single := singleKey(query.Ordering)
	return !single || len(query.Terms) > 0 || query.ProductName != "" && key.Field != "id"
}

// singleKey returns the one field that decides an ordering. What follows a unique field decides nothing.
func singleKey(ordering []listing.Key) (listing.Key, bool) {
	if len(ordering) == 0 {
		return listing.Key{Field: "id"}, true
	}
	first := ordering[0]
	return first, len(ordering) == 1 || first.Field == "id" || first.Field == "order_number"
}
