package store_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// shop is what the searches below look through: customer, number, product.
var shop = []struct {
	customer uint64
	number   string
	product  string
}{
	{1, "AAAA00000001", "Shrimp Cracker"},
	{1, "AAAA00000002", "꼬막무침 🍤"},
	{1, "BBBB00000003", "초밥 🍣"},
	{2, "BBBB00000004", "100% juice"},
	{2, "CCCC00000005", "1000 juices"},
	{2, "CCCC00000006", "snake_case"},
	{2, "DDDD00000007", "snake case"},
	{3, "DDDD00000008", `back\slash`},
	{3, "EEEE00000009", "무지개 미니낭초"},
	{3, "EEEE00000010", `it's "quoted"; -- DROP`},
}

func newShop(t *testing.T) database {
	t.Helper()
	d := newDatabase(t)
	for _, o := range shop {
		d.add(t, o.customer, o.number, o.product)
	}
	return d
}

// found returns the endings of the numbers of the orders that the search finds, and demands that the count agrees.
func (d database) found(t *testing.T, query order.Query) []string {
	t.Helper()
	query.Limit = len(shop)
	all, err := d.Orders(d.told(t), query)
	require.NoError(t, err)
	require.Len(t, all.Values, all.Count)
	// A page that is not the last one has to be counted by a statement of its own.
	query.Limit = 1
	one, err := d.Orders(d.told(t), query)
	require.NoError(t, err)
	require.Equal(t, all.Count, one.Count)
	return d.endings(t, query)
}

func TestASearchFindsTheOrdersThatHoldEveryTerm(t *testing.T) {
	t.Parallel()
	d := newShop(t)
	cases := []struct {
		name  string
		terms []string
		want  []string
	}{
		{"the product, whatever its case", []string{"sHRIMP"}, []string{"01"}},
		{"in the middle", []string{"crack"}, []string{"01"}},
		{"the number", []string{"BBBB"}, []string{"03", "04"}},
		{"the number, whatever its case", []string{"bbbb0000"}, []string{"03", "04"}},
		{"the whole number", []string{"EEEE00000010"}, []string{"10"}},
		{"percent is itself", []string{"%"}, []string{"04"}},
		{"percent in a word", []string{"100%"}, []string{"04"}},
		{"underscore is itself", []string{"_"}, []string{"06"}},
		{"underscore in a word", []string{"snake_case"}, []string{"06"}},
		{"backslash is itself", []string{`\`}, []string{"08"}},
		{"backslash in a word", []string{`k\s`}, []string{"08"}},
		{"an escaped percent is two characters", []string{`\%`}, []string{}},
		{"quotes", []string{`it's`, `"quoted"`}, []string{"10"}},
		{"SQL", []string{`'; --`}, []string{}},
		{"Korean", []string{"꼬막"}, []string{"02"}},
		{"Korean in the middle", []string{"미니"}, []string{"09"}},
		{"an emoji", []string{"🍤"}, []string{"02"}},
		{"another emoji", []string{"🍣"}, []string{"03"}},
		{"an emoji that nothing holds", []string{"🍙"}, []string{}},
		{"nothing holds it", []string{"zzzz"}, []string{}},
		{"two terms in one field", []string{"juice", "1000"}, []string{"05"}},
		{"two terms in two fields", []string{"juice", "BBBB"}, []string{"04"}},
		{"two terms, one missing", []string{"juice", "AAAA"}, []string{}},
		{"the same term twice", []string{"snake", "snake"}, []string{"06", "07"}},
		{"as many as may be", []string{"s", "n", "a", "k", "e", "_", "C", "0"}, []string{"06"}},
		{"as many as may be, the last missing", []string{"s", "n", "a", "k", "e", "_", "C", "z"}, []string{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, d.found(t, order.Query{Request: listing.Request{Terms: c.terms}}), "of all")
			for customer := uint64(1); customer <= 3; customer++ {
				want := []string{}
				for _, o := range shop {
					if ending := o.number[10:]; slices.Contains(c.want, ending) && o.customer == customer {
						want = append(want, ending)
					}
				}
				query := order.Query{Request: listing.Request{Terms: c.terms}.Only("customer", customer)}
				require.Equal(t, want, d.found(t, query), "of customer %d", customer)
			}
		})
	}
}

func TestATermMayMatchTheCustomerInsteadOfTheOrder(t *testing.T) {
	t.Parallel()
	d := newShop(t)
	eight := []string{"z1", "z2", "z3", "z4", "z5", "z6", "z7", "z8"} // no order holds one
	everyTerm := func(customerID uint64, last ...uint64) [][]uint64 {
		one := []uint64{customerID}
		return [][]uint64{one, one, one, one, one, one, one, last}
	}
	cases := []struct {
		name      string
		terms     []string
		customers [][]uint64
		customer  uint64
		product   string
		want      []string
	}{
		{name: "one customer", terms: []string{"kim"}, customers: [][]uint64{{3}}, want: []string{"08", "09", "10"}},
		{
			name: "two customers", terms: []string{"kim"}, customers: [][]uint64{{1, 3}},
			want: []string{"01", "02", "03", "08", "09", "10"},
		},
		{
			name: "a customer or the order", terms: []string{"juice"}, customers: [][]uint64{{1}},
			want: []string{"01", "02", "03", "04", "05"},
		},
		{
			name: "a customer and the order", terms: []string{"kim", "juice"}, customers: [][]uint64{{2}, nil},
			want: []string{"04", "05"},
		},
		{
			name: "the order and a customer", terms: []string{"juice", "kim"}, customers: [][]uint64{nil, {2}},
			want: []string{"04", "05"},
		},
		{
			name: "two terms of one customer", terms: []string{"kim", "lee"}, customers: [][]uint64{{1, 2}, {2, 3}},
			want: []string{"04", "05", "06", "07"},
		},
		{name: "two terms of no one customer", terms: []string{"kim", "lee"}, customers: [][]uint64{{1}, {3}}, want: []string{}},
		{name: "nobody", terms: []string{"kim"}, customers: [][]uint64{nil}, want: []string{}},
		{name: "unknown customers", terms: []string{"juice"}, want: []string{"04", "05"}},
		{name: "every term", terms: eight, customers: everyTerm(1, 1, 2), want: []string{"01", "02", "03"}},
		{name: "every term but the last", terms: eight, customers: everyTerm(1, 2), want: []string{}},
		{name: "and a product", terms: []string{"kim"}, customers: [][]uint64{{3}}, product: "무지개 미니낭초", want: []string{"09"}},
		{
			name: "of one's orders, itself", customer: 2, terms: []string{"kim"}, customers: [][]uint64{{2}},
			want: []string{"04", "05", "06", "07"},
		},
		{
			name: "of one's orders, itself and the order", customer: 2, terms: []string{"kim", "1000"},
			customers: [][]uint64{{2}, nil}, want: []string{"05"},
		},
		{name: "of one's orders, not itself", customer: 2, terms: []string{"kim"}, customers: [][]uint64{nil}, want: []string{}},
		{
			name: "of one's orders, every term", customer: 2, terms: eight, customers: everyTerm(2, 2),
			want: []string{"04", "05", "06", "07"},
		},
		{
			name: "of one's orders, every term but the last", customer: 2, terms: eight, customers: everyTerm(2),
			want: []string{},
		},
		{
			name: "of one's orders, and a product", customer: 2, terms: []string{"kim"}, customers: [][]uint64{{2}},
			product: "snake_case", want: []string{"06"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			query := order.Query{Request: listing.Request{Terms: c.terms}, Customers: c.customers}
			if c.customer != 0 {
				query.Request = query.Only("customer", c.customer)
			}
			if c.product != "" {
				query.Request = query.Only("product_name", c.product)
			}
			require.Equal(t, c.want, d.found(t, query))
		})
	}
}

// words are products that a search, and the filter by a whole product, tell apart or not.
var words = []struct{ number, product string }{
	{"01", "fıstık"}, {"02", "FISTIK"}, {"03", "İnci"}, {"04", "inci"}, {"05", "ハハ"}, {"06", "パパ"}, {"07", "はは"}, {"08", "Café"},
	{"09", "CAFÉ"}, {"10", "cafe"}, {"11", "straße"}, {"12", "STRASSE"}, {"13", "STRAẞE"}, {"14", "ΟΔΟΣ"}, {"15", "οδος"}, {"16", "꽃다발"},
	{"17", "꽃 다발"}, {"18", "Ёлка"}, {"19", "елка"}, {"20", "x\u200by"}, {"21", "xy"}, {"22", "ﬁn"}, {"23", "æon"}, {"24", "🍤"}, {"25", "🍣"},
}

func TestATextIsFoundByItselfWhateverItsCaseAndByNoOther(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	for _, word := range words {
		d.add(t, 1, "WORD000000"+word.number, word.product)
	}
	same := map[string][]string{ // those not named are found alone
		"08": {"08", "09"}, "09": {"08", "09"}, "11": {"11", "13"}, "13": {"11", "13"}, "14": {"14", "15"}, "15": {"14", "15"},
	}
	for _, word := range words {
		want := same[word.number]
		if want == nil {
			want = []string{word.number}
		}
		filtered := order.Query{Request: listing.Request{}.Only("product_name", word.product)}
		require.Equal(t, want, d.endings(t, filtered), "filter %s", word.product)
		searched := order.Query{Request: listing.Request{Terms: strings.Fields(word.product)}}
		if word.number != "17" { // two words
			require.Equal(t, want, d.endings(t, searched), "search %s", word.product)
		}
		both := order.Query{Request: listing.Request{Terms: []string{"word"}}.Only("product_name", word.product)}
		require.Equal(t, want, d.endings(t, both), "filter %s and search", word.product)
	}
}

func TestAnOrderIsFoundByItsNumberWhateverTheCaseOfItsLetters(t *testing.T) {
	t.Parallel()
	d := newShop(t)
	for number, want := range map[string][]string{
		"AAAA00000001": {"01"}, "aaaa00000001": {"01"}, "AAAA0000000": {}, "ZZZZ00000001": {}, "ａAAA00000001": {}, "AAAA00000001'": {},
	} {
		require.Equal(t, want, d.endings(t, order.Query{Request: listing.Request{}.Only("order_number", number)}), number)
	}
}

// endings are those of the numbers of the orders in a list.
func (d database) endings(t *testing.T, query order.Query) []string {
	t.Helper()
	query.Limit = listing.MaxLimit
	page, err := d.Orders(d.told(t), query)
	require.NoError(t, err)
	endings := []string{}
	for _, o := range page.Values {
		endings = append(endings, o.OrderNumber[10:])
	}
	slices.Sort(endings)
	return endings
}
