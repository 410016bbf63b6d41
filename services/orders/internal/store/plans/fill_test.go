package plans_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx/mysqlxtest"
)

// The database in which plans are examined. Its texts and times grow with the ids, so that the keys grow at their ends:
// that makes it in seconds, and plans depend on how many rows there are of a value, not on where they are.
const (
	filledOrders    = 1_000_000
	filledCustomers = 200_000
	// The customer 1 has every twentieth order; the others have four or five each, or these would not be 200,000.
	greatCustomer = 1
	someCustomer  = 123_457
	someProduct   = "Product 123" // one of 1,000
)

func fill(t *testing.T, d mysqlxtest.Database) {
	t.Helper()
	run := d.OnPrimaryAlone(t)
	run("SET SESSION unique_checks = 0, foreign_key_checks = 0")
	run("INSERT INTO orders (customer_id, order_number, product_name, paid_at)" +
		" SELECT IF(n % 20 = 0, 1, n DIV 5 + 1), LPAD(n, 12, '0'), CONCAT('Product ', n * 31 % 1000)," +
		" TIMESTAMP '2026-01-01 00:00:00' + INTERVAL n DIV 3 SECOND FROM " + mysqlxtest.Numbers(filledOrders))
	run("INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note)" +
		" SELECT id, customer_id, paid_at, customer_id, 'paid', '' FROM orders WHERE id % 4 = 0")
	run("INSERT INTO former_customers (customer_id, deleted_at) SELECT id, paid_at FROM orders WHERE id % 40 = 1")
	run("ANALYZE TABLE orders, order_timeline, former_customers")
	var orders, customers, great int
	require.NoError(t, d.Root.QueryRowContext(t.Context(),
		"SELECT COUNT(*), COUNT(DISTINCT customer_id), SUM(customer_id = ?) FROM orders", greatCustomer).
		Scan(&orders, &customers, &great))
	require.Equal(t, filledOrders, orders)
	require.Equal(t, filledCustomers, customers)
	require.Greater(t, great, filledOrders/20)
}
