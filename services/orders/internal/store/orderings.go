package store

import (
	"context"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// window is the shape of the parameters of every query that lists the ids of all orders in one ordering.
type window struct {
	Limit  int32
	Offset int32
}

// customerWindow is the same for the orders of one customer.
type customerWindow struct {
	CustomerID uint64
	Limit      int32
	Offset     int32
}

type listIDs[Params any] func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)

// adapt and adaptForCustomer take a generated method, whose parameters have a type of their own.
func adapt[Params ~struct {
	Limit  int32
	Offset int32
}](list func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) listIDs[window] {
	return func(queries *sqlcgen.Queries, ctx context.Context, page window) ([]uint64, error) {
		return list(queries, ctx, Params(page))
	}
}

func adaptForCustomer[Params ~struct {
	CustomerID uint64
	Limit      int32
	Offset     int32
}](list func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) listIDs[customerWindow] {
	return func(queries *sqlcgen.Queries, ctx context.Context, page customerWindow) ([]uint64, error) {
		return list(queries, ctx, Params(page))
	}
}

var orderings = map[listing.Key]listIDs[window]{
	{Field: "id"}:                             adapt((*sqlcgen.Queries).ListOrderIDsOrderByID),
	{Field: "id", Descending: true}:           adapt((*sqlcgen.Queries).ListOrderIDsOrderByIDDesc),
	{Field: "customer"}:                       adapt((*sqlcgen.Queries).ListOrderIDsOrderByCustomer),
	{Field: "customer", Descending: true}:     adapt((*sqlcgen.Queries).ListOrderIDsOrderByCustomerDesc),
	{Field: "order_number"}:                   adapt((*sqlcgen.Queries).ListOrderIDsOrderByNumber),
	{Field: "order_number", Descending: true}: adapt((*sqlcgen.Queries).ListOrderIDsOrderByNumberDesc),
	{Field: "product_name"}:                   adapt((*sqlcgen.Queries).ListOrderIDsOrderByProduct),
	{Field: "product_name", Descending: true}: adapt((*sqlcgen.Queries).ListOrderIDsOrderByProductDesc),
	{Field: "paymented_at"}:                   adapt((*sqlcgen.Queries).ListOrderIDsOrderByPaid),
	{Field: "paymented_at", Descending: true}: adapt((*sqlcgen.Queries).ListOrderIDsOrderByPaidDesc),
}

// Within one customer's orders, ordering by the customer leaves the order of their ids.
var customerOrderings = map[listing.Key]listIDs[customerWindow]{
	{Field: "id"}:                             adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByID),
	{Field: "id", Descending: true}:           adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByIDDesc),
	{Field: "customer"}:                       adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByID),
	{Field: "customer", Descending: true}:     adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByIDDesc),
	{Field: "order_number"}:                   adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByNumber),
	{Field: "order_number", Descending: true}: adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByNumberDesc),
	{Field: "product_name"}:                   adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByProduct),
	{Field: "product_name", Descending: true}: adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByProductDesc),
	{Field: "paymented_at"}:                   adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByPaid),
	{Field: "paymented_at", Descending: true}: adaptForCustomer((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByPaidDesc),
}

func all(key listing.Key, query order.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return orderings[key](queries, ctx, window{Limit: int32(query.Limit), Offset: int32(query.Offset)})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountOrders(ctx)
		}
}

func ofCustomer(key listing.Key, query order.Query) (idsQuery, countQuery) {
	return func(ctx context.Context, queries *sqlcgen.Queries) ([]uint64, error) {
			return customerOrderings[key](queries, ctx, customerWindow{
				CustomerID: query.CustomerID, Limit: int32(query.Limit), Offset: int32(query.Offset),
			})
		}, func(ctx context.Context, queries *sqlcgen.Queries) (int64, error) {
			return queries.CountOrdersOfCustomer(ctx, query.CustomerID)
		}
}
