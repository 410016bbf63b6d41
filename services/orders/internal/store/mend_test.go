package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// mend makes a whole round.
func (d database) mend(t *testing.T) {
	t.Helper()
	_, err := d.MendEarlierWrites(t.Context(), func() error { return nil })
	require.NoError(t, err)
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

// Until all are updated, processes of the release before go on to write, also to what a round has been at.
func TestWhatTheReleaseBeforeWritesDuringAnUpdateIsMendedByTheNextRound(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	renamed, earlier := d.add(t, 1, "UPDATE000001", "꽃다발"), d.add(t, 7, "UPDATE000002", "p")
	gone, late := d.add(t, 7, "UPDATE000003", "p"), d.add(t, 8, "UPDATE000004", "p")
	d.happens(t, earlier.ID, order.Preparing, "about him")
	d.happens(t, gone.ID, order.Preparing, "about him")
	d.happens(t, late.ID, order.Preparing, "about her")
	d.remove(t, gone.ID)
	d.mend(t)
	decomposed := norm.NFD.String("무지개 🌈")
	d.exec(t, "UPDATE orders SET product_name = ? WHERE id = ?", decomposed, renamed.ID)
	d.exec(t, "INSERT INTO former_customers (customer_id, deleted_at) VALUES (7, NOW()), (8, NOW())")
	d.exec(t, "INSERT INTO order_timeline (order_id, customer_id, at, actor_id, from_state, to_state, note) VALUES (?, 8, NOW(), 9, 'preparing', 'shipped', 'again')", late.ID)
	d.remove(t, late.ID) // the last of all
	for range 2 {
		d.mend(t)
		require.Equal(t, "무지개 🌈", d.get(t, renamed.ID).ProductName)
		require.Zero(t, d.rows(t, "order_timeline WHERE note <> ''"))
		require.Equal(t, []string{"", "redacted"}, d.notes(t, earlier.ID))
	}

	// A week after the migration these processes are long gone, and a round costs nothing.
	d.exec(t, "UPDATE goose_db_version SET tstamp = NOW() - INTERVAL 8 DAY WHERE version_id = 11")
	d.exec(t, "UPDATE orders SET product_name = ? WHERE id = ?", decomposed, renamed.ID)
	d.mend(t)
	require.Equal(t, decomposed, d.get(t, renamed.ID).ProductName)
}

// addDecomposed adds orders as the release before does, more than two transactions of a round look at, and returns how many.
func (d database) addDecomposed(t *testing.T) int {
	t.Helper()
	const count = 450
	rows := make([]string, count)
	for i := range rows {
		rows[i] = fmt.Sprintf("(1, 'BEFORE%06d', '%s', NOW())", i, norm.NFD.String("꽃"))
	}
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES "+strings.Join(rows, ", "))
	return count
}

func (d database) composed(t *testing.T) int {
	t.Helper()
	return d.rows(t, "orders WHERE product_name COLLATE utf8mb4_bin = '꽃'")
}

func TestARoundThatWasInterruptedGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	all := d.addDecomposed(t)
	interrupted := errors.New("interrupted")
	first, err := d.MendEarlierWrites(t.Context(), func() error { return interrupted })
	require.ErrorIs(t, err, interrupted)
	require.Less(t, first, all/2, "it works in small transactions")
	require.Equal(t, first, d.composed(t))
	d.exec(t, "UPDATE orders SET product_name = ? ORDER BY id LIMIT 1", norm.NFD.String("꽃"))

	// What was begun within the week is brought to its end.
	d.exec(t, "UPDATE goose_db_version SET tstamp = NOW() - INTERVAL 8 DAY")
	rest, err := d.MendEarlierWrites(t.Context(), func() error { return nil })
	require.NoError(t, err)
	require.Equal(t, all, first+rest)
	require.Equal(t, all-1, d.composed(t), "it does not look twice at an order")

	d.exec(t, "UPDATE goose_db_version SET tstamp = NOW()")
	d.mend(t)
	require.Equal(t, all, d.composed(t), "the next round looks at all")
}

func TestProcessesThatMendAtOnceMendEachOrderOnce(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	all := d.addDecomposed(t)
	var mended atomic.Int64
	for _, err := range together(3, func(int) error {
		for {
			count, err := d.MendEarlierWrites(t.Context(), func() error { return nil })
			mended.Add(int64(count))
			if !fault.Is(err, fault.Unavailable) { // a slow machine may let one wait too long for another
				return err
			}
		}
	}) {
		require.NoError(t, err)
	}
	require.Equal(t, all, d.composed(t))
	require.Equal(t, int64(all), mended.Load())
}

func TestANameThatChangesWhileItIsMendedStaysAsItWasChanged(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	changed := d.add(t, 1, "CHANGING0001", norm.NFD.String("꽃"))
	change, err := d.Root.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = change.ExecContext(t.Context(), "UPDATE orders SET product_name = 'new' WHERE id = ?", changed.ID)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = d.MendEarlierWrites(t.Context(), func() error { return nil }) // it may have waited too long
	}()
	d.AwaitLockWait(t)
	require.NoError(t, change.Commit())
	<-ended
	d.mend(t)
	require.Equal(t, "new", d.get(t, changed.ID).ProductName)
}
