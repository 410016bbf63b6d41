// Package plans_test holds how servers execute the statements of the store, with 1,000,000 orders of 200,000 customers.
// These tests take minutes, so `make test-plans` runs them and `make test` does not. They have the servers to themselves: the
// disk is busy while they fill the schema.
package plans_test

import (
	"fmt"
	"slices"
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

func fill(t testing.TB, d mysqlxtest.Database) {
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
	run("INSERT INTO order_moves (customer_id, order_id, gained, at)" +
		" SELECT customer_id, id, -1, UTC_TIMESTAMP(6) - INTERVAL 10 MINUTE FROM orders WHERE id % 20 = 1")
	run("ANALYZE TABLE orders, order_timeline, former_customers, order_moves")
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
	d.RequireRemembered(t, list)
	d.RequireRemembered(t, list, match("customer", listing.Is, greatCustomer))
	requireSearched(t, d)
}

// requireSearched demands that a search reads entries of an index to find its orders, and the rows of those alone.
func requireSearched(t *testing.T, d mysqlxtest.Database) {
	t.Helper()
	var names []string
	var customers []uint64
	for i := range 500 {
		names = append(names, fmt.Sprintf("Product %d", i))
		customers = append(customers, uint64(i*7), uint64(i*7+1))
	}
	for what, c := range map[string]struct {
		query order.Query
		names []string
		keys  []string
	}{
		"one name":         {order.Query{Request: listing.Request{Terms: []string{"산호초"}}}, names[:1], []string{"orders_product"}},
		"no name":          {order.Query{Request: listing.Request{Terms: []string{"산호초"}}}, nil, nil},
		"many names":       {order.Query{Request: listing.Request{Terms: []string{"산호초"}}}, names, []string{"orders_product"}},
		"a number":         {order.Query{Request: listing.Request{Terms: []string{"000000999999"}}}, nil, []string{"orders_number"}},
		"part of a number": {order.Query{Request: listing.Request{Terms: []string{"00077"}}}, nil, []string{"orders_number"}},
		"customers": {
			order.Query{Request: listing.Request{Terms: []string{"선기"}}, Customers: [][]uint64{customers}}, nil, []string{"orders_customer"},
		},
		"anything": {
			order.Query{Request: listing.Request{Terms: []string{"77"}}, Customers: [][]uint64{customers}}, names,
			[]string{"orders_customer", "orders_number", "orders_product"},
		},
	} {
		for _, request := range []listing.Request{
			{}, {Ordering: []listing.Key{{Field: "paymented_at", Descending: true}}}, {Matches: []listing.Match{match("state", listing.In, "paid", "shipped")}},
		} {
			request.Limit = 30
			plan, err := store.List.Plan(request)
			require.NoError(t, err)
			ways, all := store.Ways(c.query, c.names)
			require.True(t, all, what)
			plan = plan.Among(ways...)
			for _, statement := range []listsql.Statement{plan.IDs(), plan.Count()} {
				var keys []string
				for _, step := range d.Explain(t, statement.SQL, statement.Args...) {
					switch {
					case !step.OnTable():
					case step["key"] == "PRIMARY":
						require.Contains(t, []string{"const", "eq_ref"}, step["type"], "%s: %v", what, step)
					default:
						require.Contains(t, step["Extra"], "Using index", "%s: %v", what, step)
						keys = append(keys, step["key"])
					}
				}
				slices.Sort(keys)
				require.Equal(t, c.keys, slices.Compact(keys), what)
			}
		}
	}
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
	"GetRoundForUpdate":               {Args: [][]any{{}}},
	"UpdateRound":                     {Args: [][]any{{1, true, true}}},
	"GetProductNamesComplete":         {Args: [][]any{{}}},
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
	"ListOrdersForUpdate":             {Args: fewAndMany()},
	"ListPresentOrders":               {Args: fewAndMany()},
	"ListOrdersWithTimeline":          {Args: fewAndMany(), Index: "order_timeline_order"},
	"ListHoldersOfNumbers":            {Args: [][]any{{[]any{"000000000001"}, []any{"000000000001"}}, {[]any{"000000000001", "x"}, []any{"x", "y"}}}},
	"GetHighestOrder":                 {Args: [][]any{{}}},
	"SetPaidAt":                       {Args: [][]any{{at(1), 1}}},
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
