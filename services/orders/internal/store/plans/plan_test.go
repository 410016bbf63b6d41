// Package plans_test holds how servers execute the statements of the store, with 1,000,000 orders of 200,000 customers.
// These tests take minutes, so `make test-plans` runs them and `make test` does not. They have the servers to themselves: the
// disk is busy while they fill the schema.
package plans_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// The database in which plans are examined. Its texts and times grow with the ids, so that the keys grow at their ends:
// that makes it in seconds, and plans depend on how many rows there are of a value, not on where they are.
const (
	filledOrders    = 1_000_000
	filledCustomers = 200_000
	// The customer 1 has every twentieth order; the others have four or five each.
	greatCustomer = uint64(1)
	someCustomer  = uint64(123_457)
	someProduct   = "Product 123" // one of 1,000
)

func fill(t *testing.T, d mysqlxtest.Database) {
	t.Helper()
	run := d.OnPrimaryAlone(t)
	run("SET SESSION unique_checks = 0, foreign_key_checks = 0")
	run("INSERT INTO orders (customer_id, order_number, product_name, paid_at, state)" +
		" SELECT IF(n % 20 = 0, 1, n DIV 5 + 1), LPAD(n, 12, '0'), CONCAT('Product ', n * 31 % 1000)," +
		" TIMESTAMP '2026-01-01 00:00:00' + INTERVAL n DIV 3 SECOND," +
		" IF(n < 990000, IF(n % 50 = 1, 'cancelled', 'delivered'), ELT(1 + n % 3, 'paid', 'preparing', 'shipped'))" +
		" FROM " + mysqlxtest.Numbers(filledOrders) + " ORDER BY n")
	run("INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note)" +
		" SELECT IF(id % 40 = 0, 4, id), customer_id, paid_at, customer_id, 'paid', '' FROM orders WHERE id % 4 = 0")
	run("INSERT INTO former_customers (customer_id, deleted_at) SELECT id, paid_at FROM orders WHERE id % 40 = 1")
	run("ANALYZE TABLE orders, order_timeline, former_customers")
	var rows, customers, great int
	require.NoError(t, d.Root.QueryRowContext(t.Context(),
		"SELECT COUNT(*), COUNT(DISTINCT customer_id), SUM(customer_id = ?) FROM orders", greatCustomer).Scan(&rows, &customers, &great))
	require.Equal(t, filledOrders, rows)
	require.Equal(t, filledCustomers, customers)
	require.Greater(t, great, filledOrders/20)
}

func match(field string, op listing.Op, values ...any) listing.Match {
	return listing.Match{Field: field, Op: op, Values: values}
}

func at(day int) time.Time { return time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC) }

var list = mysqlxtest.List{
	Table: store.List, Declared: order.List, Rows: filledOrders,
	Samples: map[string][][]listing.Match{
		"customer":     {{match("customer", listing.Is, greatCustomer)}, {match("customer", listing.Is, someCustomer)}},
		"order_number": {{match("order_number", listing.Is, "000000000077")}},
		"product_name": {{match("product_name", listing.Is, someProduct)}, {match("product_name", listing.Is, "없는 상품")}},
		"state": {
			{match("state", listing.In, "delivered")}, {match("state", listing.In, "paid", "shipped")},
			{match("state", listing.In, "delivered", "cancelled", "paid")},
		},
		"paymented_at": {
			{match("paymented_at", listing.AtLeast, at(3))}, {match("paymented_at", listing.Below, at(2))},
			{match("paymented_at", listing.AtLeast, at(2)), match("paymented_at", listing.Below, at(3))},
		},
	},
}

// timeline is that of an order with 25,000 steps, among those of others.
var timeline = mysqlxtest.List{Table: store.Steps, Also: []listsql.Condition{listsql.Is("order", 4)}, Rows: filledOrders / 40}

func TestIndexesServeEveryQueryOfAMillionOrders(t *testing.T) {
	d := mysqlxtest.New(t, schemas.Orders())
	fill(t, d)
	d.RequireGenerated(t, "../sqlcgen", queries)
	served, others := d.RequireServed(t, list)
	t.Logf("%d combinations of filters and orderings are served by an index, %d are not", served, others)
	require.Greater(t, served, 200)
	served, others = d.RequireServed(t, timeline)
	require.Equal(t, []int{1, 0}, []int{served, others})
}

var queries = map[string]mysqlxtest.Query{
	"InsertOrder":                     {Exempt: "has no plan"},
	"InsertTimelineEntry":             {Exempt: "has no plan"},
	"InsertFormerCustomer":            {Exempt: "has no plan"},
	"ComposeProduct":                  {Args: [][]any{{"p", 1, "q"}}},
	"InsertOrderNumber":               {Exempt: "has no plan"},
	"InsertOrderNumberIfMissing":      {Exempt: "has no plan"},
	"GetOrderOfNumber":                {Args: [][]any{{"000000000001"}}},
	"GetTimelineEntryForUpdate":       {Args: [][]any{{1, 1}}},
	"RedactNote":                      {Args: [][]any{{7, 1}}},
	"ListNotesOfCustomer":             {Args: [][]any{{1, 500}, {2, 500}}},
	"GetMendedForUpdate":              {Args: [][]any{{}}},
	"UpdateMended":                    {Args: [][]any{{1}}},
	"ListProductsAfter":               {Args: [][]any{{0, 200}, {900_000, 200}}},
	"ListNotesAboutFormerCustomers":   {Args: [][]any{{0, 200}, {900_000, 900_200}}},
	"CountFormerCustomersInShareMode": {Args: [][]any{{1}, {2}}},
	"CountFormerCustomers":            {Args: [][]any{{1}, {2}}},
	"RedactNotes":                     {Args: fewAndMany()},
	"GetOrder":                        {Args: [][]any{{1}, {0}}},
	"GetOrderForUpdate":               {Args: [][]any{{1}}},
	"UpdateOrder":                     {Args: [][]any{{1, "000000000000", "p", "paid", 2, 1}}},
	"DeleteOrder":                     {Args: [][]any{{1}}},
	"ListOrdersByIDs":                 {Args: fewAndMany()},
	"ListLastOrders":                  {Args: fewAndMany()},
	"GetLastTimelineEntry":            {Args: [][]any{{4}, {77}}},
	"ListTimelineEntriesByIDs":        {Args: fewAndMany()},
}

// fewAndMany are slices of ids that are far from each other.
func fewAndMany() [][]any {
	var args [][]any
	for _, count := range []int{1, 30, orders.MaxCustomers} {
		ids := make([]any, count)
		for i := range ids {
			ids[i] = i*(filledCustomers/count) + 1
		}
		args = append(args, []any{ids})
	}
	return args
}
