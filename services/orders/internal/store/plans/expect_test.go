package plans_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/store/sqlcgen"
)

type call func(context.Context, *sqlcgen.Queries) error

// expectation is what the plan of a query must be, for each of some calls.
type expectation struct {
	check func(*testing.T, mysqlxtest.Step)
	calls []call
}

// direct demands that a query goes to its rows without a look at all others, and sorts nothing.
func direct(t *testing.T, step mysqlxtest.Step) {
	t.Helper()
	require.NotContains(t, step["Extra"], "Using filesort", "%v", step)
	require.NotContains(t, step["Extra"], "Using temporary", "%v", step)
	if step.OnTable() {
		require.NotContains(t, []string{"ALL", ""}, step["type"], "%v", step)
		require.NotEmpty(t, step["key"], "%v", step)
	}
}

// covered also demands that it reads a key only: a deep page skips many entries, and each would cost a row otherwise.
func covered(t *testing.T, step mysqlxtest.Step) {
	t.Helper()
	direct(t, step)
	require.Contains(t, step["Extra"], "Using index", "%v", step)
}

// ofTheCustomer demands that a search reads the orders of its customer only. It may sort them.
func ofTheCustomer(t *testing.T, step mysqlxtest.Step) {
	t.Helper()
	require.True(t, strings.HasPrefix(step["key"], "orders_customer"), "%v", step)
	require.NotContains(t, []string{"ALL", "index", ""}, step["type"], "%v", step)
}

// anything is for the two queries that look for a text inside others, in all orders, and for the one that reads nothing.
func anything(*testing.T, mysqlxtest.Step) {}

// makes turns the methods of a query and what it is asked into calls.
func makes[Params, Result any](query func(*sqlcgen.Queries, context.Context, Params) (Result, error), asked ...Params) []call {
	var calls []call
	for _, params := range asked {
		calls = append(calls, func(ctx context.Context, queries *sqlcgen.Queries) error {
			_, err := query(queries, ctx, params)
			return err
		})
	}
	return calls
}

func executes[Params any](query func(*sqlcgen.Queries, context.Context, Params) error, asked ...Params) []call {
	return makes(func(queries *sqlcgen.Queries, ctx context.Context, params Params) (struct{}, error) {
		return struct{}{}, query(queries, ctx, params)
	}, asked...)
}

// allPages asks for the first page of all orders, a deep one and the greatest.
func allPages[Params ~struct {
	Limit  int32
	Offset int32
}](query func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) expectation {
	return expectation{covered, makes(query, Params{Limit: 30}, Params{Limit: 30, Offset: 900_000},
		Params{Limit: listing.MaxLimit, Offset: listing.MaxOffset})}
}

// customersPages asks for the same of a customer with few orders and of one with many.
func customersPages[Params ~struct {
	CustomerID uint64
	Limit      int32
	Offset     int32
}](query func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) expectation {
	return expectation{covered, makes(query,
		Params{CustomerID: someCustomer, Limit: 30}, Params{CustomerID: someCustomer, Limit: 30, Offset: 900_000},
		Params{CustomerID: greatCustomer, Limit: 30}, Params{CustomerID: greatCustomer, Limit: listing.MaxLimit, Offset: 40_000})}
}

func productsPages[Params ~struct {
	ProductName string
	Limit       int32
	Offset      int32
}](query func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) expectation {
	return expectation{covered, makes(query,
		Params{ProductName: someProduct, Limit: 30}, Params{ProductName: someProduct, Limit: 30, Offset: 900},
		Params{ProductName: "없는 상품", Limit: 30})}
}

func customersProductsPages[Params ~struct {
	CustomerID  uint64
	ProductName string
	Limit       int32
	Offset      int32
}](query func(*sqlcgen.Queries, context.Context, Params) ([]uint64, error)) expectation {
	return expectation{covered, makes(query,
		Params{CustomerID: someCustomer, ProductName: someProduct, Limit: 30},
		Params{CustomerID: greatCustomer, ProductName: someProduct, Limit: listing.MaxLimit, Offset: 900},
		Params{CustomerID: greatCustomer, ProductName: someProduct, Limit: 30})}
}

// spread returns count ids of the filled database, far from each other.
func spread(count int) []uint64 {
	ids := make([]uint64, count)
	for i := range ids {
		ids[i] = uint64(i)*(filledCustomers/uint64(count)) + 1
	}
	return ids
}

var fewAndMany = [][]uint64{spread(1), spread(30), spread(orders.MaxCustomers)}
