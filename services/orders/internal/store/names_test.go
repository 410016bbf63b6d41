package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// allNamed says whether searches may look at names instead of orders.
func (d database) allNamed(t *testing.T, complete bool) {
	t.Helper()
	d.exec(t, "UPDATE product_rounds SET complete = ?", complete)
	require.NoError(t, d.Pair.Sync(t.Context()))
}

func (d database) completelyNamed(t *testing.T) bool {
	t.Helper()
	return d.rows(t, "product_rounds WHERE complete") == 1
}

// migrated makes it so many hours since the migration.
func (d database) migrated(t *testing.T, hours int) {
	t.Helper()
	d.exec(t, "UPDATE goose_db_version SET tstamp = NOW() - INTERVAL ? HOUR", hours)
}

func searchFor(terms ...string) order.Query {
	return order.Query{Request: listing.Request{Terms: terms}}
}

// pieces make texts that servers and Go fold, compare and escape in different ways.
var pieces = []string{
	"꼬막", "무침", "초", "밥", " ", " ", "a", "A", "b", "B1", "1", "İ", "I", "i", "ı", "ß", "ẞ", "ss", "ς", "σ", "Σ", "%", "_", `\`, "🍤", "🍣", "é", "É", "e",
	norm.NFD.String("é"), norm.NFD.String("꽃"), "꽃", "ハ", "パ", "は", "ﬁ", "K", "K", "k", "'", `"`,
}

func text(random *rand.Rand, most int) string {
	var made strings.Builder
	for range 1 + random.IntN(most) {
		made.WriteString(pieces[random.IntN(len(pieces))])
	}
	return made.String()
}

// part is some characters of a text.
func part(random *rand.Rand, of string) string {
	runes := []rune(of)
	from := random.IntN(len(runes))
	return string(runes[from : from+1+random.IntN(len(runes)-from)])
}

func TestASearchThroughNamesFindsWhatAScanOfAllOrdersFinds(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	random := rand.New(rand.NewPCG(11, 12))
	names := make([]string, 120)
	for i := range names {
		names[i] = strings.TrimSpace(text(random, 6)) + "."
		d.addOrder(t, order.Order{
			CustomerID: uint64(i%7) + 1, OrderNumber: fmt.Sprintf("AB%010d", i*7919), ProductName: names[i], PaidAt: paidAt, State: order.States()[i%5],
		})
	}
	queries := make([]order.Query, 300)
	for i := range queries {
		query := order.Query{Request: listing.Request{Limit: 1 + random.IntN(20), Offset: random.IntN(3)}}
		for range 1 + random.IntN(3) {
			term := part(random, names[random.IntN(len(names))])
			switch random.IntN(8) {
			case 0:
				term = text(random, 2)
			case 1:
				term = part(random, fmt.Sprintf("ab%010d", random.IntN(120)*7919))
			}
			for _, term := range strings.Fields(term) {
				query.Terms = append(query.Terms, term)
				query.Customers = append(query.Customers, [][]uint64{nil, nil, nil, {uint64(random.IntN(8))}, {1, 2, 3}}[random.IntN(5)])
			}
		}
		switch random.IntN(6) {
		case 0:
			query.Request = query.Only("state", "paid")
		case 1:
			query.Request = query.Only("customer", uint64(2))
		}
		query.Ordering = [][]listing.Key{nil, {{Field: "product_name", Descending: true}}, {{Field: "state"}, {Field: "order_number"}}}[random.IntN(3)]
		queries[i] = query
	}
	look := func() (pages []listing.Rows[order.Order]) {
		for _, query := range queries {
			page, err := d.Orders(d.told(t), query)
			require.NoError(t, err, "%+v", query)
			pages = append(pages, page)
		}
		return pages
	}
	require.True(t, d.completelyNamed(t))
	byNames := look()
	d.allNamed(t, false)
	filled := 0
	for i, want := range look() {
		require.Equal(t, want, byNames[i], "%+v", queries[i])
		filled += min(len(want.Values), 1)
	}
	require.Greater(t, filled, len(queries)/3)
}

func TestOrdersThatTheReleaseBeforeWroteAreFoundBeforeAndAfterTheirNamesAreAdded(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.allNamed(t, false)
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'BEFORE000001', '산호초 Lamp', NOW())")
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'BEFORE000002', ?, NOW())", norm.NFD.String("산호초"))
	d.add(t, 1, "PRESENT00003", "산호초 머그컵")
	require.Equal(t, []string{"01", "03"}, d.endings(t, searchFor("산호초")))

	// Processes of the release before may still write beside such a round.
	d.mend(t)
	require.Equal(t, 3, d.rows(t, "product_names"))
	require.False(t, d.completelyNamed(t))
	renamed := d.get(t, 1)
	d.exec(t, "UPDATE orders SET product_name = '무지개' WHERE id = ?", renamed.ID)
	require.Equal(t, []string{"01"}, d.endings(t, searchFor("무지개")))

	d.migrated(t, 2)
	d.mend(t)
	require.True(t, d.completelyNamed(t))
	require.NoError(t, d.Pair.Sync(t.Context()))
	require.Equal(t, []string{"01"}, d.endings(t, searchFor("무지개")))
	require.Equal(t, []string{"02", "03"}, d.endings(t, searchFor("산호초")))
}

func TestRoundsAreMadeUntilOneHasAddedAllNames(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	all := d.addDecomposed(t)
	d.allNamed(t, false)
	d.migrated(t, 24*30) // nothing has run since the week after the migration
	interrupted := errors.New("interrupted")
	_, err := d.MendEarlierWrites(t.Context(), func() error { return interrupted })
	require.ErrorIs(t, err, interrupted)
	require.False(t, d.completelyNamed(t))
	d.mend(t)
	require.True(t, d.completelyNamed(t))
	require.Equal(t, all, d.composed(t))
	require.Equal(t, 1, d.rows(t, "product_names"))
}

// A round that began too early is not a whole one, however late it ends.
func TestARoundThatBeganWhileTheReleaseBeforeWroteDoesNotCompleteTheNames(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.addDecomposed(t)
	d.allNamed(t, false)
	interrupted := errors.New("interrupted")
	_, err := d.MendEarlierWrites(t.Context(), func() error { return interrupted })
	require.ErrorIs(t, err, interrupted)
	d.migrated(t, 2)
	d.mend(t)
	require.False(t, d.completelyNamed(t))
	d.mend(t)
	require.True(t, d.completelyNamed(t))
}

// The statement is that of deploy/RECOVERY.md.
func TestOrdersThatAReturnToTheReleaseBeforeTookAreFoundOnceRoundsBeginAnew(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.migrated(t, 24*30)
	d.mend(t)
	require.True(t, d.completelyNamed(t))
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES (1, 'RETURN000001', '산호초 Lamp', NOW())")
	d.exec(t, "UPDATE product_rounds SET through = 0, settled = FALSE, complete = FALSE")
	require.Equal(t, []string{"01"}, d.endings(t, searchFor("산호초")))
	d.mend(t)
	require.True(t, d.completelyNamed(t))
	require.Equal(t, 1, d.rows(t, "product_names"))
	require.Equal(t, []string{"01"}, d.endings(t, searchFor("산호초")))
}

func TestANameIsWrittenOnceAndAgainWhereThatMayBeLost(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	named := func() int { return d.rows(t, "product_names WHERE name = '산호초'") }
	d.add(t, 1, "NAMED0000001", "p")

	// What a transaction wrote that was rolled back is not there.
	_, err := d.create(t.Context(), order.Order{CustomerID: 1, OrderNumber: "NAMED0000001", ProductName: "산호초", PaidAt: paidAt})
	require.ErrorIs(t, err, order.ErrNumberTaken)
	require.Zero(t, named())
	stored := d.add(t, 1, "NAMED0000002", "산호초")
	require.Equal(t, 1, named())

	// A promotion that is forced may lose it.
	d.exec(t, "DELETE FROM product_names")
	before := d.Cluster.Epoch()
	d.exec(t, "UPDATE heartbeat SET epoch = epoch + 1")
	require.Eventually(t, func() bool { return d.Cluster.Epoch() > before && d.Cluster.Ready() == nil }, hanging, poll)
	require.Eventually(t, func() bool {
		_, err := d.update(t.Context(), stored.ID, func(o *order.Order) { o.ProductName = "무지개" })
		return err == nil
	}, hanging, poll, "the server takes writes in its new epoch")
	_, err = d.update(t.Context(), stored.ID, func(o *order.Order) { o.ProductName = "산호초" })
	require.NoError(t, err)
	require.Equal(t, 1, named())
	require.Equal(t, []string{"02"}, d.endings(t, searchFor("산호초")))
}

func TestOrdersOfANewProductThatArePlacedAtOnceAreAllFound(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const placed = 24
	for i, err := range together(placed, func(i int) error {
		_, err := d.create(t.Context(), order.Order{
			CustomerID: uint64(i), OrderNumber: fmt.Sprintf("TOGETHER%04d", i), ProductName: fmt.Sprintf("산호초 %d", i%3), PaidAt: paidAt,
		})
		return err
	}) {
		require.NoError(t, err, i)
	}
	require.Len(t, d.endings(t, searchFor("산호초")), placed)
	require.Equal(t, 3, d.rows(t, "product_names"))
}

func TestAWordThatStandsInVeryManyNamesIsFoundInAllOrders(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const count = 600
	rows := make([]string, count)
	for i := range rows {
		rows[i] = fmt.Sprintf("(1, 'MANY%08d', '무지개 %d', NOW())", i, i)
	}
	d.exec(t, "INSERT INTO orders (customer_id, order_number, product_name, paid_at) VALUES "+strings.Join(rows, ", "))
	d.exec(t, "INSERT INTO product_names (name) SELECT product_name FROM orders")
	for _, terms := range [][]string{{"무지개"}, {"무지개", "지개"}} {
		query := searchFor(terms...)
		query.Limit = 1
		page, err := d.Orders(d.told(t), query)
		require.NoError(t, err)
		require.Equal(t, count, page.Count)
	}
	require.Equal(t, []string{"77"}, d.endings(t, searchFor("무지개", "577")))
}
