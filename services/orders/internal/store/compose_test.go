package store_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store"
)

func TestOrdersOfBeforeAreFoundByTheComposedNamesOfTheirProducts(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	compose := func() {
		require.NoError(t, store.ComposeProducts(t.Context(), d.Root, slog.New(slog.DiscardHandler)))
	}
	const flowers, cafe = "꽃다발", "Café 🍤"
	tooLong := strings.Repeat("\u0958", 100) // its composed form has twice as many characters
	before := []order.Order{
		d.add(t, 1, "NFD000000001", norm.NFD.String(flowers)), d.add(t, 1, "NFD000000002", flowers),
		d.add(t, 1, "NFD000000003", norm.NFD.String(cafe)), d.add(t, 1, "NFD000000004", tooLong),
	}
	require.Equal(t, []string{"02"}, d.endings(t, order.Query{Request: listing.Request{}.Only("product_name", flowers)}))
	compose()
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

	// What a process of the version before stores later is found once the step runs again.
	d.add(t, 1, "NFD000000005", norm.NFD.String(flowers))
	compose()
	compose()
	require.Equal(t, []string{"01", "02", "05"}, d.endings(t, order.Query{Request: listing.Request{}.Only("product_name", flowers)}))
}
