package imports_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/command"
	"oms.internal/libs/consistency"
	"oms.internal/libs/drf"
	"oms.internal/libs/drf/drftest"
	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/imports"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// moving is a database of drf-oms beside a schema of ours.
type moving struct {
	mysqlxtest.Database
	store  *store.Store
	source drftest.Source
	// missing are customers who are not here.
	missing []uint64
}

func newMoving(t *testing.T) *moving {
	t.Helper()
	database := mysqlxtest.New(t, schemas.Orders())
	return &moving{Database: database, store: store.New(database.Cluster, time.Now), source: drftest.New(t, database.Pair)}
}

// Imported answers as accounts does.
func (m *moving) Imported(_ context.Context, ids []uint64) ([]uint64, error) {
	return slices.DeleteFunc(ids, func(id uint64) bool { return slices.Contains(m.missing, id) }), nil
}

// run makes a run, and returns what it told and its exit code.
func (m *moving) run(t *testing.T, dry bool) (told string, code int) {
	t.Helper()
	var out bytes.Buffer
	err := drf.Run(t.Context(), drf.Options{Source: m.source.DSN, DryRun: dry, Out: &out, Progress: io.Discard, Now: time.Now},
		imports.Orders(m.store, m))
	code = command.Code(err)
	if code != drf.Incomplete {
		require.NoError(t, err, out.String())
	}
	return out.String(), code
}

// complete makes a run that takes everything, and compares what it told.
func (m *moving) complete(t *testing.T, want string) {
	t.Helper()
	told, code := m.run(t, false)
	require.Zero(t, code, told)
	require.Equal(t, "orders: "+want+", 0 not taken\n", told)
}

func (m *moving) number(t *testing.T, query string, args ...any) (number int) {
	t.Helper()
	require.NoError(t, m.Root.QueryRowContext(t.Context(), query, args...).Scan(&number), query)
	return number
}

func (m *moving) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := m.Root.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
}

// differing counts the orders that are not as the source has them.
func (m *moving) differing(t *testing.T) int {
	t.Helper()
	here := "SELECT id, customer_id, order_number, CAST(product_name AS BINARY), paid_at, state FROM orders"
	there := "SELECT id, customer_id, order_number, CAST(product_name AS BINARY), paymented_at, 'paid' FROM " + m.source.Schema + ".orders_order"
	return m.number(t, "SELECT COUNT(*) FROM ("+here+" EXCEPT "+there+") AS a") + m.number(t, "SELECT COUNT(*) FROM ("+there+" EXCEPT "+here+") AS b")
}

// requireKept demands that what is kept beside the orders is there.
func (m *moving) requireKept(t *testing.T) {
	t.Helper()
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM orders LEFT JOIN order_numbers AS n ON n.order_number = orders.order_number AND n.order_id = orders.id WHERE n.order_id IS NULL"))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM orders LEFT JOIN product_names AS n ON n.name = CAST(product_name AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin WHERE n.name IS NULL"))
	require.Equal(t, 1, m.number(t, "SELECT complete FROM product_rounds"))
}

func TestAFirstRunTakesEveryOrderAsItIsAndASecondOneNothing(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	for id := range uint64(drftest.Members) {
		m.missing = append(m.missing, id+1)
	}
	told, code := m.run(t, true)
	require.Zero(t, code)
	require.Equal(t, "orders: 4995 new, 0 changed, 0 gone, 0 not taken, 4995 of them only once their member is here; this was a dry run, and nothing was changed\n", told)
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM orders")+m.number(t, "SELECT COUNT(*) FROM product_names")+m.number(t, "SELECT COUNT(*) FROM outbox"))
	m.missing = nil
	m.complete(t, "4995 new, 0 changed, 0 gone")
	require.Zero(t, m.differing(t))
	m.requireKept(t)
	require.Equal(t, 5, m.number(t, "SELECT COUNT(*) FROM outbox WHERE subject = 'oms.events.orders.imported.v1'"))
	require.Equal(t, 5, m.number(t, "SELECT COUNT(*) FROM outbox WHERE subject = 'oms.audit.orders.v1'"))
	require.Equal(t, 10, m.number(t, "SELECT COUNT(*) FROM outbox"))
	found, err := m.store.Orders(consistency.Into(t.Context(), consistency.Newest), order.Query{Request: listing.Request{Limit: 5, Terms: []string{"꼬막무침", "🍤"}}})
	require.NoError(t, err)
	require.NotZero(t, found.Count)
	m.complete(t, "0 new, 0 changed, 0 gone")
	require.Equal(t, 10, m.number(t, "SELECT COUNT(*) FROM outbox"))
}

func TestTheNextRunBringsTheDifference(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.complete(t, "4995 new, 0 changed, 0 gone")
	m.source.Exec(t, "DELETE FROM orders_order WHERE id IN (10, 11)")
	m.source.Exec(t, "UPDATE orders_order SET product_name = ? WHERE id = 20", "e\u0301clair")
	m.source.Exec(t, "UPDATE orders_order SET customer_id = 5, paymented_at = '2026-12-01 00:00:00.000001' WHERE id = 21")
	// The number of an order goes to another one, and that one's to a new order.
	numbers := []string{"NEW000000030", "NEW000000031"}
	m.source.Exec(t, "UPDATE orders_order SET order_number = ? WHERE id = 30", numbers[0])
	m.source.Exec(t, "UPDATE orders_order SET order_number = ? WHERE id = 31", numbers[1])
	m.source.Exec(t, "INSERT INTO orders_order (id, order_number, product_name, paymented_at, customer_id) VALUES (6000, 'NEW000006000', 'new', '2026-12-01', 3)")
	events := m.number(t, "SELECT COUNT(*) FROM outbox")
	m.complete(t, "1 new, 4 changed, 2 gone")
	m.requireKept(t)
	require.Equal(t, 1, m.number(t, "SELECT COUNT(*) FROM orders WHERE id = 20 AND product_name COLLATE utf8mb4_bin = 'éclair'"), "in normal form C")
	m.exec(t, "UPDATE orders SET product_name = ? WHERE id = 20", "e\u0301clair")
	require.Zero(t, m.differing(t))
	require.Equal(t, 4, m.number(t, "SELECT COUNT(*) FROM orders WHERE version = 2"))
	require.Equal(t, 8, m.number(t, "SELECT COUNT(*) FROM outbox")-events, "what is changed or gone is told as always")
	require.Equal(t, 4, m.number(t, "SELECT COUNT(*) FROM order_moves"), "two are gone, and one has another customer")
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM order_timeline"), "nobody here did it")
	m.exec(t, "UPDATE orders SET product_name = 'éclair' WHERE id = 20")
	m.complete(t, "0 new, 0 changed, 0 gone")
}

func TestWhatWasChangedHereSinceIsNeitherOverwrittenNorDeletedAndIsNamed(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.complete(t, "4995 new, 0 changed, 0 gone")
	m.exec(t, "UPDATE orders SET state = 'shipped' WHERE id IN (40, 41, 42)")
	m.exec(t, "DELETE FROM orders WHERE id IN (60, 61, 62)")
	m.source.Exec(t, "UPDATE orders_order SET product_name = 'theirs' WHERE id IN (40, 60)")
	m.source.Exec(t, "DELETE FROM orders_order WHERE id IN (41, 61)")
	told, code := m.run(t, false)
	require.Equal(t, drf.Incomplete, code)
	require.Equal(t, "order 40: it was changed in drf-oms, and here, too\norder 41: it is gone in drf-oms, but was changed here\n"+
		"order 60: it was changed in drf-oms, but deleted here\norders: 0 new, 0 changed, 1 gone, 3 not taken\n", told)
	require.Equal(t, 3, m.number(t, "SELECT COUNT(*) FROM orders WHERE state = 'shipped'"))
	require.Zero(t, m.number(t, "SELECT COUNT(*) FROM orders WHERE id = 62"), "what was deleted here does not come back")
	again, _ := m.run(t, false)
	require.Equal(t, strings.Replace(told, "1 gone", "0 gone", 1), again, "it is said again until somebody decides")
}

func TestEachRowThatCannotBeTakenIsNamedWithItsReasonAndTheRestIsTaken(t *testing.T) {
	t.Parallel()
	m := newMoving(t)
	m.missing = []uint64{2}
	m.exec(t, `INSERT INTO orders (id, customer_id, order_number, product_name, paid_at) VALUES
		(70, 1, 'OURS00000070', 'ours', NOW()), (9000, 1, 'MV0000300000', 'ours', NOW())`)
	m.exec(t, "INSERT INTO order_numbers (order_number, order_id) VALUES ('OURS00000070', 70), ('MV0000300000', 9000), ('MV0000300001', 9001)")
	m.exec(t, "INSERT INTO order_timeline (order_id, customer_id, at, actor_id, to_state, note) VALUES (71, 1, NOW(), 1, 'deleted', '')")
	m.source.Unchecked(t,
		"UPDATE orders_order SET order_number = 'short' WHERE id = 80", "UPDATE orders_order SET order_number = 'lowercase001' WHERE id = 81",
		"UPDATE orders_order SET paymented_at = '0000-00-00' WHERE id = 82", "UPDATE orders_order SET id = -83 WHERE id = 83",
		"UPDATE orders_order SET customer_id = 0 WHERE id = 84",
	)
	told, code := m.run(t, false)
	require.Equal(t, drf.Incomplete, code)
	for _, line := range []string{
		`order -83: "-83" is no id`,
		"order 1: its customer 2 was not imported, or is not here any more",
		"order 3: its number MV0000300000 is or was that of order 9000 here",
		"order 5: its number MV0000300001 is or was that of order 9001 here",
		"order 70: its id is that of another order here",
		"order 71: its id was that of another order here, which is deleted",
		`order 80: its number "short" has not 12 characters from 0-9 and A-Z`,
		`order 81: its number "lowercase001" has not 12 characters from 0-9 and A-Z`,
		`order 82: it was paid at "0000-00-00 00:00:00.000000" is no time`,
		`order 84: its customer: "0" is no id`,
	} {
		require.Contains(t, told, line+"\n")
	}
	refused := strings.Count(told, "\n") - 1
	require.Contains(t, told, "not taken\n")
	require.Equal(t, drftest.Orders-refused+2, m.number(t, "SELECT COUNT(*) FROM orders"))
	require.Equal(t, drftest.Orders-refused, m.number(t, "SELECT COUNT(*) FROM order_moves WHERE gained = 1"),
		"processes that remember how many orders there are up to 9000 learn of those below")
}
