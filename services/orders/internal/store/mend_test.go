package store_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

// mend runs the step of the migration.
func (d database) mend(t *testing.T) {
	t.Helper()
	require.NoError(t, store.MendEarlierWrites(t.Context(), d.Root, slog.New(slog.DiscardHandler)))
}

func (d database) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := d.Root.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func TestOrdersOfBeforeAreFoundByTheComposedNamesOfTheirProducts(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const flowers, cafe = "꽃다발", "Café 🍤"
	tooLong := strings.Repeat("\u0958", 100) // its composed form has twice as many characters
	before := []order.Order{
		d.add(t, 1, "NFD000000001", norm.NFD.String(flowers)), d.add(t, 1, "NFD000000002", flowers),
		d.add(t, 1, "NFD000000003", norm.NFD.String(cafe)), d.add(t, 1, "NFD000000004", tooLong),
	}
	require.Equal(t, []string{"02"}, d.endings(t, order.Query{Request: listing.Request{}.Only("product_name", flowers)}))
	d.mend(t)
	for _, text := range []string{flowers, cafe} {
		filtered := order.Query{Request: listing.Request{}.Only("product_name", text)}
		searched := order.Query{Request: listing.Request{Terms: strings.Fields(text)}}
		require.Equal(t, d.endings(t, filtered), d.endings(t, searched))
	}
	require.Equal(t, []string{"01", "02"}, d.endings(t, order.Query{Request: listing.Request{Terms: []string{flowers}}}))
	for i, want := range []string{flowers, flowers, cafe, tooLong} {
		changed := before[i]
		changed.ProductName = want
		require.Equal(t, changed, d.get(t, before[i].ID))
	}
}

// Until all are updated, processes of the release before go on to write, also to what the step has been at.
func TestWhatTheReleaseBeforeWritesDuringAnUpdateIsMendedByTheNextRun(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	renamed, numbered := d.add(t, 1, "UPDATE000001", "꽃다발"), d.add(t, 1, "UPDATE000002", "p")
	earlier, late := d.add(t, 7, "UPDATE000003", "p"), d.add(t, 8, "UPDATE000004", "p")
	d.happens(t, earlier.ID, order.Preparing, "about him")
	d.mend(t)
	d.exec(t, "UPDATE orders SET product_name = ? WHERE id = ?", norm.NFD.String("무지개 🌈"), renamed.ID)
	d.exec(t, "UPDATE orders SET order_number = 'UPDATE000005' WHERE id = ?", numbered.ID)
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'UPDATE000006', 'p', NOW())")
	d.exec(t, "INSERT INTO former_customers (customer_id, deleted_at) VALUES (7, NOW()), (8, NOW())")
	d.exec(t, "INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note) VALUES (?, 8, NOW(), 9, 'paid', 'preparing', 'about her')", late.ID)
	for range 2 {
		d.mend(t)
		require.Equal(t, "무지개 🌈", d.get(t, renamed.ID).ProductName)
		require.Equal(t, 6, d.rows(t, "order_numbers"))
		require.Equal(t, 1, d.rows(t, fmt.Sprintf("order_numbers WHERE order_number = 'UPDATE000005' AND order_id = %d", numbered.ID)))
		require.Equal(t, []string{"", "redacted"}, d.notes(t, earlier.ID))
		require.Equal(t, []string{"", "redacted"}, d.notes(t, late.ID))
	}

	// A week after the last migration these processes are long gone, and a start costs nothing.
	d.exec(t, "UPDATE goose_db_version SET tstamp = NOW() - INTERVAL 8 DAY")
	d.exec(t, "DELETE FROM order_numbers")
	d.mend(t)
	require.Zero(t, d.rows(t, "order_numbers"))
}
