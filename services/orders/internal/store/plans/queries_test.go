package plans_test

import (
	"context"
	"time"

	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// paidAt is a time; no plan depends on which.
var paidAt = time.Date(2026, 11, 23, 6, 36, 30, 511840000, time.UTC)

var expectations = map[string]expectation{
	"InsertOrder":       {anything, makes((*sqlcgen.Queries).InsertOrder, sqlcgen.InsertOrderParams{PaidAt: paidAt})},
	"UpdateOrder":       {direct, executes((*sqlcgen.Queries).UpdateOrder, sqlcgen.UpdateOrderParams{ID: 1})},
	"DeleteOrder":       {direct, executes((*sqlcgen.Queries).DeleteOrder, 1)},
	"GetOrder":          {direct, makes((*sqlcgen.Queries).GetOrder, 1)},
	"GetOrderForUpdate": {direct, makes((*sqlcgen.Queries).GetOrderForUpdate, 1)},
	"ListOrdersByIDs":   {direct, makes((*sqlcgen.Queries).ListOrdersByIDs, fewAndMany...)},
	"ListLastOrders":    {direct, makes((*sqlcgen.Queries).ListLastOrders, fewAndMany...)},

	"InsertTimelineEntry": {anything, executes((*sqlcgen.Queries).InsertTimelineEntry, sqlcgen.InsertTimelineEntryParams{At: paidAt})},
	"ListTimeline": {direct, makes((*sqlcgen.Queries).ListTimeline,
		sqlcgen.ListTimelineParams{OrderID: 4, Limit: order.MaxTimeline}, sqlcgen.ListTimelineParams{OrderID: 77, Limit: order.MaxTimeline})},
	"InsertOrderNumber":          {anything, executes((*sqlcgen.Queries).InsertOrderNumber, sqlcgen.InsertOrderNumberParams{})},
	"InsertOrderNumberIfMissing": {anything, executes((*sqlcgen.Queries).InsertOrderNumberIfMissing, sqlcgen.InsertOrderNumberIfMissingParams{})},
	"GetOrderOfNumber":           {direct, makes((*sqlcgen.Queries).GetOrderOfNumber, "000000000001")},
	"GetTimelineEntryForUpdate":  {direct, makes((*sqlcgen.Queries).GetTimelineEntryForUpdate, sqlcgen.GetTimelineEntryForUpdateParams{ID: 1, OrderID: 1})},
	"RedactNote":                 {direct, executes((*sqlcgen.Queries).RedactNote, sqlcgen.RedactNoteParams{ID: 1})},
	"ListNotesOfCustomer":        {direct, makes((*sqlcgen.Queries).ListNotesOfCustomer, sqlcgen.ListNotesOfCustomerParams{CustomerID: 1, Limit: 500})},
	"RedactNotes":                {direct, executes((*sqlcgen.Queries).RedactNotes, fewAndMany...)},

	"IsFormerCustomer": {direct, makes((*sqlcgen.Queries).IsFormerCustomer, 1, 2)},
	"InsertFormerCustomer": {anything, executes((*sqlcgen.Queries).InsertFormerCustomer,
		sqlcgen.InsertFormerCustomerParams{CustomerID: 2, DeletedAt: paidAt})},

	"CountOrders": {covered, []call{func(ctx context.Context, queries *sqlcgen.Queries) error {
		_, err := queries.CountOrders(ctx)
		return err
	}}},
	"CountOrdersOfCustomer": {covered, makes((*sqlcgen.Queries).CountOrdersOfCustomer, someCustomer, greatCustomer)},
	"CountOrdersOfProduct":  {covered, makes((*sqlcgen.Queries).CountOrdersOfProduct, someProduct)},
	"CountOrdersOfCustomerAndProduct": {covered, makes((*sqlcgen.Queries).CountOrdersOfCustomerAndProduct,
		sqlcgen.CountOrdersOfCustomerAndProductParams{CustomerID: someCustomer, ProductName: someProduct},
		sqlcgen.CountOrdersOfCustomerAndProductParams{CustomerID: greatCustomer, ProductName: someProduct})},

	"ListOrderIDsOrderByID":           allPages((*sqlcgen.Queries).ListOrderIDsOrderByID),
	"ListOrderIDsOrderByIDDesc":       allPages((*sqlcgen.Queries).ListOrderIDsOrderByIDDesc),
	"ListOrderIDsOrderByCustomer":     allPages((*sqlcgen.Queries).ListOrderIDsOrderByCustomer),
	"ListOrderIDsOrderByCustomerDesc": allPages((*sqlcgen.Queries).ListOrderIDsOrderByCustomerDesc),
	"ListOrderIDsOrderByNumber":       allPages((*sqlcgen.Queries).ListOrderIDsOrderByNumber),
	"ListOrderIDsOrderByNumberDesc":   allPages((*sqlcgen.Queries).ListOrderIDsOrderByNumberDesc),
	"ListOrderIDsOrderByProduct":      allPages((*sqlcgen.Queries).ListOrderIDsOrderByProduct),
	"ListOrderIDsOrderByProductDesc":  allPages((*sqlcgen.Queries).ListOrderIDsOrderByProductDesc),
	"ListOrderIDsOrderByPaid":         allPages((*sqlcgen.Queries).ListOrderIDsOrderByPaid),
	"ListOrderIDsOrderByPaidDesc":     allPages((*sqlcgen.Queries).ListOrderIDsOrderByPaidDesc),

	"ListOrderIDsOfCustomerOrderByID":          customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByID),
	"ListOrderIDsOfCustomerOrderByIDDesc":      customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByIDDesc),
	"ListOrderIDsOfCustomerOrderByNumber":      customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByNumber),
	"ListOrderIDsOfCustomerOrderByNumberDesc":  customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByNumberDesc),
	"ListOrderIDsOfCustomerOrderByProduct":     customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByProduct),
	"ListOrderIDsOfCustomerOrderByProductDesc": customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByProductDesc),
	"ListOrderIDsOfCustomerOrderByPaid":        customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByPaid),
	"ListOrderIDsOfCustomerOrderByPaidDesc":    customersPages((*sqlcgen.Queries).ListOrderIDsOfCustomerOrderByPaidDesc),

	"ListOrderIDsOfProductOrderByID":     productsPages((*sqlcgen.Queries).ListOrderIDsOfProductOrderByID),
	"ListOrderIDsOfProductOrderByIDDesc": productsPages((*sqlcgen.Queries).ListOrderIDsOfProductOrderByIDDesc),
	"ListOrderIDsOfCustomerAndProductOrderByID": customersProductsPages(
		(*sqlcgen.Queries).ListOrderIDsOfCustomerAndProductOrderByID),
	"ListOrderIDsOfCustomerAndProductOrderByIDDesc": customersProductsPages(
		(*sqlcgen.Queries).ListOrderIDsOfCustomerAndProductOrderByIDDesc),

	"SearchOrderIDs":   {anything, makes((*sqlcgen.Queries).SearchOrderIDs, searchFor("%PRODUCT%", "-paymented_at"))},
	"CountOrdersFound": {anything, makes((*sqlcgen.Queries).CountOrdersFound, countFor("%PRODUCT%"))},
	"SearchOrderIDsOfCustomer": {ofTheCustomer, makes((*sqlcgen.Queries).SearchOrderIDsOfCustomer,
		searchOf(someCustomer, "", "%PRODUCT%"), searchOf(greatCustomer, "", "%PRODUCT%"),
		searchOf(someCustomer, someProduct, "%"), searchOf(greatCustomer, someProduct, "%"))},
	"CountOrdersFoundOfCustomer": {ofTheCustomer, makes((*sqlcgen.Queries).CountOrdersFoundOfCustomer,
		countOf(someCustomer, "", "%PRODUCT%"), countOf(greatCustomer, "", "%PRODUCT%"),
		countOf(someCustomer, someProduct, "%"), countOf(greatCustomer, someProduct, "%"))},
}

// What the store fills a search with: "%" stands for a term that is not there.

func searchFor(term, key string) sqlcgen.SearchOrderIDsParams {
	return sqlcgen.SearchOrderIDsParams{
		Term1: term, Term2: "%", Term3: "%", Term4: "%", Term5: "%", Term6: "%", Term7: "%", Term8: "%",
		Customers1: spread(30), Key1: key, Limit: 30,
	}
}

func countFor(term string) sqlcgen.CountOrdersFoundParams {
	return sqlcgen.CountOrdersFoundParams{
		Term1: term, Term2: "%", Term3: "%", Term4: "%", Term5: "%", Term6: "%", Term7: "%", Term8: "%",
		Customers1: spread(30),
	}
}

func searchOf(customerID uint64, product, term string) sqlcgen.SearchOrderIDsOfCustomerParams {
	return sqlcgen.SearchOrderIDsOfCustomerParams{
		CustomerID: customerID, ProductName: product,
		Term1: term, Term2: "%", Term3: "%", Term4: "%", Term5: "%", Term6: "%", Term7: "%", Term8: "%",
		Key1: "-paymented_at", Limit: 30,
	}
}

func countOf(customerID uint64, product, term string) sqlcgen.CountOrdersFoundOfCustomerParams {
	return sqlcgen.CountOrdersFoundOfCustomerParams{
		CustomerID: customerID, ProductName: product,
		Term1: term, Term2: "%", Term3: "%", Term4: "%", Term5: "%", Term6: "%", Term7: "%", Term8: "%",
	}
}
