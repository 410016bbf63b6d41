package store_test

import (
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/order"
	"oms.internal/servers/testservers"
	omssql "oms.internal/sql"
)

func TestTheNumbersOfOrdersOfBeforeAreKeptAndNotesAboutFormerMembersGo(t *testing.T) {
	t.Parallel()
	pair, schema := testservers.NewSchema(t)
	config, log := mysqlxtest.ConfigOf(pair, schema), slog.New(slog.DiscardHandler)
	config.User, config.Password = schema.Migrate.User, schema.Migrate.Password
	earlier := fstest.MapFS{}
	names, err := fs.Glob(omssql.Orders(), "0000[1-4]_*.sql")
	require.NoError(t, err)
	for _, name := range names {
		content, err := fs.ReadFile(omssql.Orders(), name)
		require.NoError(t, err)
		earlier[name] = &fstest.MapFile{Data: content}
	}
	require.NoError(t, mysqlx.Migrate(t.Context(), config, earlier, log))
	root, err := pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	for _, statement := range []string{
		"INSERT INTO orders (id, customer_id, order_number, product_name, paid_at) VALUES (1, 7, 'BEFORE000001', 'p', NOW()), (2, 8, 'BEFORE000002', 'p', NOW())",
		"INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note) VALUES (1, 7, NOW(), 9, 'paid', 'him'), (2, 8, NOW(), 9, 'paid', 'her')",
		"INSERT INTO former_customers (customer_id, deleted_at) VALUES (7, NOW())",
	} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}

	require.NoError(t, mysqlx.Migrate(t.Context(), config, omssql.Orders(), log))
	require.NoError(t, pair.Sync(t.Context()))
	d := on(mysqlxtest.Connect(t, pair, schema))
	require.Equal(t, []string{"redacted"}, d.notes(t, 1))
	require.Equal(t, []string{"her"}, d.notes(t, 2))
	d.remove(t, 1)
	require.NoError(t, d.number(t, 2, "BEFORE000003"))
	for _, number := range []string{"BEFORE000001", "BEFORE000002", "BEFORE000003"} {
		_, err := d.create(t.Context(), order.Order{CustomerID: 3, OrderNumber: number, ProductName: "p", PaidAt: paidAt})
		require.ErrorIs(t, err, order.ErrNumberTaken, number)
	}

	// A process of the release before still inserts orders and steps.
	for _, statement := range []string{
		"INSERT INTO orders (customer_id, order_number, product_name, paid_at, state, version) VALUES (8, 'DURING000001', 'p', NOW(), 'paid', 1)",
		"INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note) VALUES (3, 8, NOW(), 8, NULL, 'paid', '')",
	} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	_, err = d.create(t.Context(), order.Order{CustomerID: 3, OrderNumber: "DURING000001", ProductName: "p", PaidAt: paidAt})
	require.ErrorIs(t, err, order.ErrNumberTaken)
}
