package listsql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
)

// table has columns of each kind, and indexes by one column and by two.
var table = &listsql.Table{
	Name: "orders",
	Columns: map[string]listsql.Column{
		"customer": {Name: "customer_id", Kind: listsql.Number},
		"number":   {Name: "order_number", Kind: listsql.Text, Unique: true, Stored: strings.ToUpper},
		"product":  {Name: "product_name", Kind: listsql.Caseless},
		"state":    {Name: "state", Kind: listsql.Text},
		"paid":     {Name: "paid_at", Kind: listsql.Time},
		"gift":     {Name: "is_gift", Kind: listsql.Flag, Nullable: true},
	},
	Indexes: []listsql.Index{
		{Name: "by_number", Fields: []string{"number"}},
		{Name: "by_product", Fields: []string{"product"}},
		{Name: "by_gift", Fields: []string{"gift"}},
		{Name: "by_state_paid", Fields: []string{"state", "paid"}},
		{Name: "by_customer", Fields: []string{"customer"}, Covers: []string{"paid"}},
	},
}

func up(field string) listing.Key   { return listing.Key{Field: field} }
func down(field string) listing.Key { return listing.Key{Field: field, Descending: true} }

func match(field string, op listing.Op, values ...any) listing.Match {
	return listing.Match{Field: field, Op: op, Values: values}
}

const (
	caseless = "product_name = ? AND LOWER(product_name COLLATE utf8mb4_unicode_520_ci) COLLATE utf8mb4_bin" +
		" = LOWER(? COLLATE utf8mb4_unicode_520_ci) COLLATE utf8mb4_bin"
	holds = "LOWER(product_name COLLATE utf8mb4_unicode_520_ci) COLLATE utf8mb4_bin" +
		" LIKE LOWER(? COLLATE utf8mb4_unicode_520_ci) COLLATE utf8mb4_bin"
	unordered = "IGNORE INDEX FOR ORDER BY (by_number, by_product, by_gift, by_state_paid, by_customer)"
)

var at = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

var statements = map[string]struct {
	request listing.Request
	also    []listsql.Condition
	ids     string
	args    []any
	count   string
}{
	"all": {
		ids:   "SELECT id FROM orders FORCE INDEX (PRIMARY) ORDER BY id LIMIT ? OFFSET ?",
		args:  []any{30, 60},
		count: "SELECT COUNT(*) FROM orders",
	},
	"a direction for all keys, the tie-breaker included": {
		request: listing.Request{Ordering: []listing.Key{down("product")}},
		ids:     "SELECT id FROM orders FORCE INDEX (by_product) ORDER BY product_name DESC, id DESC LIMIT ? OFFSET ?",
		args:    []any{30, 60},
		count:   "SELECT COUNT(*) FROM orders",
	},
	"nothing behind a unique key": {
		request: listing.Request{Ordering: []listing.Key{up("number"), down("paid")}},
		ids:     "SELECT id FROM orders FORCE INDEX (by_number) ORDER BY order_number LIMIT ? OFFSET ?",
		args:    []any{30, 60},
		count:   "SELECT COUNT(*) FROM orders",
	},
	"several keys sort": {
		request: listing.Request{Ordering: []listing.Key{up("paid"), down("product")}},
		ids:     "SELECT id FROM orders " + unordered + " ORDER BY paid_at, product_name DESC, id DESC LIMIT ? OFFSET ?",
		args:    []any{30, 60},
		count:   "SELECT COUNT(*) FROM orders",
	},
	"text that ignores case": {
		request: listing.Request{Matches: []listing.Match{match("product", listing.Is, "ハハ")}},
		ids:     "SELECT id FROM orders FORCE INDEX (by_product) WHERE " + caseless + " ORDER BY id LIMIT ? OFFSET ?",
		args:    []any{"ハハ", "ハハ", 30, 60},
		count:   "SELECT COUNT(*) FROM orders FORCE INDEX (by_product) WHERE " + caseless,
	},
	"an index that covers a range": {
		request: listing.Request{Matches: []listing.Match{match("customer", listing.Is, uint64(7)), match("paid", listing.Below, at)}},
		ids:     "SELECT id FROM orders FORCE INDEX (by_customer) WHERE customer_id = ? AND paid_at < ? ORDER BY id LIMIT ? OFFSET ?",
		args:    []any{uint64(7), at, 30, 60},
		count:   "SELECT COUNT(*) FROM orders FORCE INDEX (by_customer) WHERE customer_id = ? AND paid_at < ?",
	},
	"one row, whatever else is asked": {
		request: listing.Request{
			Matches:  []listing.Match{match("state", listing.In, "paid", "shipped"), match("number", listing.Is, "a1")},
			Ordering: []listing.Key{down("number"), up("paid")},
		},
		ids:   "SELECT id FROM orders FORCE INDEX (by_number) WHERE state IN (?, ?) AND order_number = ? ORDER BY paid_at, id LIMIT ? OFFSET ?",
		args:  []any{"paid", "shipped", "A1", 30, 60},
		count: "SELECT COUNT(*) FROM orders FORCE INDEX (by_number) WHERE state IN (?, ?) AND order_number = ?",
	},
	"several values, each from its place in the index": {
		request: listing.Request{
			Matches:  []listing.Match{match("state", listing.In, "paid", "shipped"), match("paid", listing.AtLeast, at)},
			Ordering: []listing.Key{down("paid")},
		},
		ids: "SELECT id, paid_at FROM (" +
			"(SELECT id, paid_at FROM orders FORCE INDEX (by_state_paid) WHERE state = ? AND paid_at >= ? ORDER BY paid_at DESC, id DESC LIMIT ?)" +
			" UNION ALL " +
			"(SELECT id, paid_at FROM orders FORCE INDEX (by_state_paid) WHERE state = ? AND paid_at >= ? ORDER BY paid_at DESC, id DESC LIMIT ?)" +
			") AS rows_of_each ORDER BY paid_at DESC, id DESC LIMIT ? OFFSET ?",
		args:  []any{"paid", at, 90, "shipped", at, 90, 30, 60},
		count: "SELECT COUNT(*) FROM orders FORCE INDEX (by_state_paid) WHERE state IN (?, ?) AND paid_at >= ?",
	},
	"a search": {
		request: listing.Request{Ordering: []listing.Key{up("paid")}},
		also: []listsql.Condition{
			listsql.Any(listsql.Contains("product", `50%_\`), listsql.In("customer", []uint64{1, 2})),
			listsql.All(listsql.IsNull("gift"), listsql.Is("id", uint64(7))), listsql.Any(), listsql.In("customer", []uint64(nil)),
		},
		ids: "SELECT id FROM orders " + unordered + " WHERE (" + holds + " OR customer_id IN (?, ?)) AND (is_gift IS NULL AND id = ?)" +
			" AND FALSE AND FALSE ORDER BY paid_at, id LIMIT ? OFFSET ?",
		args: []any{`%50\%\_\\%`, uint64(1), uint64(2), uint64(7), 30, 60},
		count: "SELECT COUNT(*) FROM orders WHERE (" + holds + " OR customer_id IN (?, ?)) AND (is_gift IS NULL AND id = ?)" +
			" AND FALSE AND FALSE",
	},
	"a part of a text whose case counts": {
		also:  []listsql.Condition{listsql.Contains("number", "A1")},
		ids:   "SELECT id FROM orders " + unordered + " WHERE order_number LIKE ? ORDER BY id LIMIT ? OFFSET ?",
		args:  []any{"%A1%", 30, 60},
		count: "SELECT COUNT(*) FROM orders WHERE order_number LIKE ?",
	},
	"the beginning of a walk": {
		request: listing.Request{Ordering: []listing.Key{down("product")}, Cursor: &listing.Cursor{}},
		ids:     "SELECT id, product_name FROM orders FORCE INDEX (by_product) ORDER BY product_name DESC, id DESC LIMIT ? OFFSET ?",
		args:    []any{31, 60},
		count:   "SELECT COUNT(*) FROM orders",
	},
	"a walk goes on": {
		request: listing.Request{
			Ordering: []listing.Key{up("product")},
			Cursor:   &listing.Cursor{Ordering: "product,id", Keys: []*string{new("x"), new("7")}},
		},
		ids: "SELECT id, product_name FROM orders FORCE INDEX (by_product) WHERE (product_name > ? OR product_name = ? AND id > ?)" +
			" ORDER BY product_name, id LIMIT ? OFFSET ?",
		args:  []any{"x", "x", uint64(7), 31, 60},
		count: "SELECT COUNT(*) FROM orders",
	},
	"a walk back, with the row at the place": {
		request: listing.Request{
			Ordering: []listing.Key{up("product")}, Matches: []listing.Match{match("customer", listing.Is, uint64(9))},
			Cursor: &listing.Cursor{Ordering: "product,id", Back: true, With: true, Keys: []*string{new("x"), new("7")}},
		},
		ids: "SELECT id, product_name FROM orders WHERE customer_id = ? AND (product_name < ? OR product_name = ? AND id <= ?)" +
			" ORDER BY product_name DESC, id DESC LIMIT ? OFFSET ?",
		args:  []any{uint64(9), "x", "x", uint64(7), 31, 60},
		count: "SELECT COUNT(*) FROM orders WHERE customer_id = ?",
	},
	"up from no value": {
		request: listing.Request{
			Ordering: []listing.Key{up("gift")}, Cursor: &listing.Cursor{Ordering: "gift,id", Keys: []*string{nil, new("7")}},
		},
		ids: "SELECT id, is_gift FROM orders FORCE INDEX (by_gift) WHERE (is_gift IS NOT NULL OR is_gift IS NULL AND id > ?)" +
			" ORDER BY is_gift, id LIMIT ? OFFSET ?",
		args:  []any{uint64(7), 31, 60},
		count: "SELECT COUNT(*) FROM orders",
	},
	"down to no value": {
		request: listing.Request{
			Ordering: []listing.Key{down("gift")}, Cursor: &listing.Cursor{Ordering: "-gift,-id", Keys: []*string{new("1"), new("7")}},
		},
		ids: "SELECT id, is_gift FROM orders FORCE INDEX (by_gift) WHERE ((is_gift < ? OR is_gift IS NULL) OR is_gift = ? AND id < ?)" +
			" ORDER BY is_gift DESC, id DESC LIMIT ? OFFSET ?",
		args:  []any{true, true, uint64(7), 31, 60},
		count: "SELECT COUNT(*) FROM orders",
	},
	"down from no value": {
		request: listing.Request{
			Ordering: []listing.Key{down("gift")}, Cursor: &listing.Cursor{Ordering: "-gift,-id", Keys: []*string{nil, new("7")}},
		},
		ids: "SELECT id, is_gift FROM orders FORCE INDEX (by_gift) WHERE (FALSE OR is_gift IS NULL AND id < ?)" +
			" ORDER BY is_gift DESC, id DESC LIMIT ? OFFSET ?",
		args:  []any{uint64(7), 31, 60},
		count: "SELECT COUNT(*) FROM orders",
	},
}

func TestAStatementIsMadeOfDeclaredNamesAndParameters(t *testing.T) {
	t.Parallel()
	for name, test := range statements {
		test.request.Limit, test.request.Offset = 30, 60
		plan, err := table.Plan(test.request, test.also...)
		require.NoError(t, err, name)
		ids, count := plan.IDs(), plan.Count()
		require.Equal(t, test.ids, ids.SQL, name)
		require.Equal(t, test.args, ids.Args, name)
		require.Equal(t, test.count, count.SQL, name)
		require.Len(t, ids.Args, strings.Count(ids.SQL, "?"), name)
		require.Len(t, count.Args, strings.Count(count.SQL, "?"), name)
	}
}

func TestAListAmongWhatIndexesFindReadsNothingElse(t *testing.T) {
	t.Parallel()
	pieces := &listsql.Table{Name: "pieces", Columns: map[string]listsql.Column{"piece": {Name: "piece", Kind: listsql.Text}}}
	exact := listsql.Way{Index: "by_product", Where: []listsql.Condition{listsql.Exactly("product", []string{"x", "y"})}}
	none := listsql.Way{Index: "by_product", Where: []listsql.Condition{listsql.Exactly("product", nil)}}
	apart := listsql.Way{Table: pieces, ID: "order_id", Index: "PRIMARY", Where: []listsql.Condition{listsql.Is("piece", "abc")}}
	const (
		byProduct = "SELECT id AS id FROM orders FORCE INDEX (by_product) WHERE (product_name IN (?, ?) AND product_name COLLATE utf8mb4_bin IN (?, ?))"
		byPiece   = "SELECT order_id AS id FROM pieces FORCE INDEX (PRIMARY) WHERE piece = ?"
	)
	for name, test := range map[string]struct {
		request    listing.Request
		ways       []listsql.Way
		ids, count string
		args       []any
	}{
		"ids that need no rows": {
			ways:  []listsql.Way{exact},
			ids:   "SELECT id FROM (" + byProduct + ") AS found ORDER BY id LIMIT ? OFFSET ?",
			args:  []any{"x", "y", "x", "y", 30, 60},
			count: "SELECT COUNT(*) FROM (" + byProduct + ") AS found",
		},
		"none": {
			ways:  []listsql.Way{none},
			ids:   "SELECT id FROM (SELECT id AS id FROM orders FORCE INDEX (by_product) WHERE FALSE) AS found ORDER BY id LIMIT ? OFFSET ?",
			args:  []any{30, 60},
			count: "SELECT COUNT(*) FROM (SELECT id AS id FROM orders FORCE INDEX (by_product) WHERE FALSE) AS found",
		},
		"rows in another order": {
			request: listing.Request{Ordering: []listing.Key{down("paid")}},
			ways:    []listsql.Way{exact, apart},
			ids: "SELECT STRAIGHT_JOIN id FROM (" + byProduct + " UNION " + byPiece + ") AS found JOIN orders USING (id)" +
				" ORDER BY paid_at DESC, id DESC LIMIT ? OFFSET ?",
			args:  []any{"x", "y", "x", "y", "abc", 30, 60},
			count: "SELECT COUNT(*) FROM (" + byProduct + " UNION " + byPiece + ") AS found",
		},
		"rows that filters leave, not each value from its place in an index": {
			request: listing.Request{Matches: []listing.Match{match("state", listing.In, "paid", "shipped")}, Ordering: []listing.Key{up("paid")}},
			ways:    []listsql.Way{apart},
			ids:     "SELECT STRAIGHT_JOIN id FROM (" + byPiece + ") AS found JOIN orders USING (id) WHERE state IN (?, ?) ORDER BY paid_at, id LIMIT ? OFFSET ?",
			args:    []any{"abc", "paid", "shipped", 30, 60},
			count:   "SELECT STRAIGHT_JOIN COUNT(*) FROM (" + byPiece + ") AS found JOIN orders USING (id) WHERE state IN (?, ?)",
		},
	} {
		test.request.Limit, test.request.Offset = 30, 60
		plan, err := table.Plan(test.request)
		require.NoError(t, err, name)
		plan = plan.Among(test.ways...)
		require.False(t, plan.Quick(), name)
		require.Equal(t, test.ids, plan.IDs().SQL, name)
		require.Equal(t, test.args, plan.IDs().Args, name)
		require.Equal(t, test.count, plan.Count().SQL, name)
	}
}

func TestTextsAreReadAsTheirConditionsSay(t *testing.T) {
	t.Parallel()
	statement := listsql.Texts(table, "product", 7, listsql.Contains("product", "x"), listsql.Is("state", "paid"))
	require.Equal(t, "SELECT product_name FROM orders WHERE "+holds+" AND state = ? LIMIT ?", statement.SQL)
	require.Equal(t, []any{"%x%", "paid", 7}, statement.Args)
}

func TestLettersWhoseLowerCaseIsAnotherLetterAreToldApart(t *testing.T) {
	t.Parallel()
	for text, replaced := range map[string][2]bool{
		"fıstık": {false, false}, "İ": {true, false}, "pin": {true, false}, "ΟΔΟΣ": {false, true}, "ıς": {false, true}, "꽃다발": {false, false},
	} {
		plan, err := table.Plan(listing.Request{}, listsql.Contains("product", text))
		require.NoError(t, err)
		require.Equal(t, replaced[0], strings.Contains(plan.IDs().SQL, "'İ'"), text)
		require.Equal(t, replaced[1], strings.Contains(plan.IDs().SQL, "'ς'"), text)
	}
}

func TestACursorIsOfItsOrderingAndHasValuesOfItsFields(t *testing.T) {
	t.Parallel()
	place := func(ordering string, keys ...*string) listing.Request {
		return listing.Request{Ordering: []listing.Key{down("paid"), up("gift")}, Cursor: &listing.Cursor{Ordering: ordering, Keys: keys}}
	}
	const ordering, paid = "-paid,gift,id", "2026-11-28T00:00:00.123456Z"
	_, err := table.Plan(place(ordering, new(paid), nil, new("7")))
	require.NoError(t, err)
	for name, request := range map[string]listing.Request{
		"another ordering": place("paid,gift,id", new(paid), nil, new("7")),
		"too few values":   place(ordering, new(paid), nil),
		"too many values":  place(ordering, new(paid), nil, new("7"), new("7")),
		"NULL for a time":  place(ordering, nil, nil, new("7")),
		"NULL for the id":  place(ordering, new(paid), nil, nil),
		"no time":          place(ordering, new("yesterday"), nil, new("7")),
		"an early time":    place(ordering, new("0001-01-01T00:00:00Z"), nil, new("7")),
		"a time too late":  place(ordering, new("9999-12-31T23:59:59-01:00"), nil, new("7")),
		"no flag":          place(ordering, new(paid), new("maybe"), new("7")),
		"no number":        place(ordering, new(paid), nil, new("-7")),
		"a huge number":    place(ordering, new(paid), nil, new("18446744073709551615")),
	} {
		_, err := table.Plan(request)
		require.Equal(t, fault.NotFound, fault.Of(err).Code, name)
	}
}
