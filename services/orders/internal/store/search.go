package store

import (
	"context"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// ofProduct lists the orders of a product in the order of their ids, of one customer or of all.
func ofProduct(key listing.Key, query order.Query) (idsQuery, countQuery) {
	limit, offset := int32(query.Limit), int32(query.Offset)
	if query.CustomerID == 0 {
		params := sqlcgen.ListOrderIDsOfProductOrderByIDParams{ProductName: query.ProductName, Limit: limit, Offset: offset}
		return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
				if key.Descending {
					return queries.ListOrderIDsOfProductOrderByIDDesc(ctx, sqlcgen.ListOrderIDsOfProductOrderByIDDescParams(params))
				}
				return queries.ListOrderIDsOfProductOrderByID(ctx, params)
			}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
				return queries.CountOrdersOfProduct(ctx, query.ProductName)
			}
	}
	params := sqlcgen.ListOrderIDsOfCustomerAndProductOrderByIDParams{
		CustomerID: query.CustomerID, ProductName: query.ProductName, Limit: limit, Offset: offset,
	}
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			if key.Descending {
				return queries.ListOrderIDsOfCustomerAndProductOrderByIDDesc(ctx,
					sqlcgen.ListOrderIDsOfCustomerAndProductOrderByIDDescParams(params))
			}
			return queries.ListOrderIDsOfCustomerAndProductOrderByID(ctx, params)
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountOrdersOfCustomerAndProduct(ctx, sqlcgen.CountOrdersOfCustomerAndProductParams{
				CustomerID: query.CustomerID, ProductName: query.ProductName,
			})
		}
}

// terms are the patterns of a search, one for each slot of the query, and what customers match each term.
type terms struct {
	pattern   [listing.MaxTerms]string
	customers [listing.MaxTerms][]uint64
	key       [listing.MaxKeys]string
}

func toTerms(query order.Query) terms {
	var result terms
	for i := range result.pattern {
		result.pattern[i] = "%"
		if i < len(query.Terms) {
			result.pattern[i] = containing(query.Terms[i])
		}
		if i < len(query.Customers) {
			result.customers[i] = query.Customers[i]
		}
	}
	for i := range min(len(query.Ordering), len(result.key)) {
		result.key[i] = query.Ordering[i].String()
	}
	return result
}

// only returns the one customer that matches a term, where the search is among one customer's orders, or 0.
func (t terms) only(i int) uint64 {
	if len(t.customers[i]) == 0 {
		return 0
	}
	return t.customers[i][0]
}

func search(query order.Query) (idsQuery, countQuery) {
	if query.CustomerID != 0 {
		return searchOfCustomer(query)
	}
	t := toTerms(query)
	p, m := t.pattern, t.customers
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.SearchOrderIDs(ctx, sqlcgen.SearchOrderIDsParams{
				ProductName: query.ProductName,
				Term1:       p[0], Term2: p[1], Term3: p[2], Term4: p[3], Term5: p[4], Term6: p[5], Term7: p[6], Term8: p[7],
				Customers1: m[0], Customers2: m[1], Customers3: m[2], Customers4: m[3],
				Customers5: m[4], Customers6: m[5], Customers7: m[6], Customers8: m[7],
				Key1: t.key[0], Key2: t.key[1], Key3: t.key[2], Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountOrdersFound(ctx, sqlcgen.CountOrdersFoundParams{
				ProductName: query.ProductName,
				Term1:       p[0], Term2: p[1], Term3: p[2], Term4: p[3], Term5: p[4], Term6: p[5], Term7: p[6], Term8: p[7],
				Customers1: m[0], Customers2: m[1], Customers3: m[2], Customers4: m[3],
				Customers5: m[4], Customers6: m[5], Customers7: m[6], Customers8: m[7],
			})
		}
}

func searchOfCustomer(query order.Query) (idsQuery, countQuery) {
	t := toTerms(query)
	p := t.pattern
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return queries.SearchOrderIDsOfCustomer(ctx, sqlcgen.SearchOrderIDsOfCustomerParams{
				CustomerID: query.CustomerID, ProductName: query.ProductName,
				Term1: p[0], Term2: p[1], Term3: p[2], Term4: p[3], Term5: p[4], Term6: p[5], Term7: p[6], Term8: p[7],
				Customer1: t.only(0), Customer2: t.only(1), Customer3: t.only(2), Customer4: t.only(3),
				Customer5: t.only(4), Customer6: t.only(5), Customer7: t.only(6), Customer8: t.only(7),
				Key1: t.key[0], Key2: t.key[1], Key3: t.key[2], Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountOrdersFoundOfCustomer(ctx, sqlcgen.CountOrdersFoundOfCustomerParams{
				CustomerID: query.CustomerID, ProductName: query.ProductName,
				Term1: p[0], Term2: p[1], Term3: p[2], Term4: p[3], Term5: p[4], Term6: p[5], Term7: p[6], Term8: p[7],
				Customer1: t.only(0), Customer2: t.only(1), Customer3: t.only(2), Customer4: t.only(3),
				Customer5: t.only(4), Customer6: t.only(5), Customer7: t.only(6), Customer8: t.only(7),
			})
		}
}
