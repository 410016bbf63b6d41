package main

import (
	"database/sql"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/drf"
	"oms.internal/libs/drf/drftest"
	"oms.internal/libs/service/servicetest"
)

// importing is a schema beside an accounts service, with nothing that serves it.
type importing struct {
	servicetest.Surroundings
	environ []string
	db      *sql.DB
}

func newImporting(t *testing.T) importing {
	t.Helper()
	at := servicetest.New(t, orders.Service)
	serveAccounts(t, connect(t, at.Broker.URL()))
	environ := servicetest.Environ(t, at.Config)
	require.NoError(t, program().Command(t.Context(), []string{"migrate"}, environ, io.Discard))
	db, err := at.Pair.Primary.Open(at.Schema.App.User, at.Schema.App.Password, at.Schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return importing{at, environ, db}
}

func TestAnImportThatIsKilledTenTimesAndRunAgainEqualsOneRunRowForRow(t *testing.T) {
	t.Parallel()
	whole, killed := newImporting(t), newImporting(t)
	source := drftest.New(t, whole.Pair)
	const times = 4
	source.Multiply(t, times)
	source.Exec(t, "DELETE FROM orders_order WHERE customer_id = 7")
	var rows int
	require.NoError(t, source.DB.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders_order").Scan(&rows))
	output, err := source.Import(t, whole.environ).CombinedOutput()
	require.NoError(t, err, "%s", output)
	source.ImportKilled(t, killed.environ, killed.db, rows)
	root, err := whole.Pair.Primary.Open("root", whole.Pair.RootPassword, "")
	require.NoError(t, err)
	defer func() { require.NoError(t, root.Close()) }()
	drftest.RequireEqual(t, root, whole.Schema.Name, killed.Schema.Name, "SELECT * FROM {}.orders", "SELECT * FROM {}.order_numbers",
		"SELECT * FROM {}.product_names", "SELECT * FROM {}.drf_imports", "SELECT * FROM {}.product_rounds",
		"SELECT SUM(JSON_VALUE(content, '$.data.count')) FROM {}.outbox WHERE subject = 'oms.events.orders.imported.v1'")
	var moves int
	require.NoError(t, killed.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM order_moves").Scan(&moves))
	require.Zero(t, moves)
}

func TestOrdersOfMembersWhoAreNotHereAreNamedAndTheExitCodeSaysThatSomeAre(t *testing.T) {
	t.Parallel()
	at := newImporting(t)
	source := drftest.New(t, at.Pair)
	var out strings.Builder
	err := program().Command(t.Context(), []string{"import-drf", "--source", source.DSN}, at.environ, &out)
	require.Equal(t, drf.Incomplete, command.Code(err))
	require.Contains(t, out.String(), ": its customer 7 was not imported, or is not here any more\n")
	require.Regexp(t, `orders: \d+ new, 0 changed, 0 gone, 5 not taken\n`, out.String())
	var here, there int
	require.NoError(t, at.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders").Scan(&here))
	require.NoError(t, source.DB.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM orders_order WHERE customer_id <> 7").Scan(&there))
	require.Equal(t, there, here)
}
