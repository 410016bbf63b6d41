package listing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

var seoul = time.FixedZone("", 9*60*60)

// list has a filter of each kind.
var list = listing.List{
	Filters: []listing.Filter{
		listing.ID("customer", 1, "No such customer."), listing.Text("product"), listing.Flag("active"),
		listing.Choice("outcome", "good", "bad"), listing.Choices("state", "paid", "shipped", "cancelled"),
		listing.Since("paid__gte", "paid"), listing.Until("paid__lt", "paid"),
	},
	Search:   []string{"product"},
	Ordering: []string{"id", "product", "paid"},
}

func parse(t *testing.T, query string) listing.Request {
	t.Helper()
	request, err := listing.Parse(query, list, seoul)
	require.NoError(t, err, query)
	return request
}

func TestAPageThatCannotBeReadIsTheDefaultAndATooLargeOneIsCut(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][2]int{
		"":                                  {30, 0},
		"limit=&offset=":                    {30, 0},
		"limit=0":                           {30, 0}, // as in Django REST Framework
		"limit=2&offset=4":                  {2, 4},
		"limit=+2&offset=%2B4":              {2, 4},
		"limit=007&offset=-0&page=abc":      {7, 0},
		"limit=abc&offset=-3":               {30, 0},
		"limit=-1&offset=1.5":               {30, 0},
		"limit=501":                         {500, 0},
		"limit=500&offset=2147483647":       {500, 2147483647},
		"limit=9&offset=2147483648":         {9, 2147483647},
		"limit=99999999999999999999":        {500, 0},
		"limit=-99999999999999999999":       {30, 0},
		"offset=99999999999999999999":       {30, 2147483647},
		"limit=%F0%9F%8D%A4&offset=1e2":     {30, 0},
		"limit=abc&limit=3&offset=1&offset": {3, 0},
	} {
		request := parse(t, query)
		require.Equal(t, want, [2]int{request.Limit, request.Offset}, query)
		require.Nil(t, request.Cursor, query)
	}
}

func TestSearchIsSplitByBlanksAndCommas(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]string{
		"search=":                            nil,
		"search=+,+,":                        nil,
		"search=a":                           {"a"},
		"search=a+b,c%09d%0Ae":               {"a", "b", "c", "d", "e"},
		"search=,a,,+b+":                     {"a", "b"},
		"search=%EA%BC%AC%EB%A7%89":          {"꼬막"},
		"search=a%E3%80%80b":                 {"a", "b"}, // the ideographic space
		"search=100%25_off":                  {"100%_off"},
		"search=a;b":                         {"a;b"},
		"search=1+2+3+4+5+6+7+8":             {"1", "2", "3", "4", "5", "6", "7", "8"},
		"search=" + strings.Repeat("가", 100): {strings.Repeat("가", 100)},
		"search=" + decomposed("꽃다발"):        {"꽃다발"},
		"search=x&search=y":                  {"y"},
	} {
		require.ElementsMatch(t, want, parse(t, query).Terms, query)
	}
}

func TestAListWithoutSearchAndOrderingIgnoresBoth(t *testing.T) {
	t.Parallel()
	request, err := listing.Parse("search=a+b&ordering=-id&limit=3", listing.List{}, seoul)
	require.NoError(t, err)
	require.Equal(t, listing.Request{Limit: 3}, request)
}

func TestWhatASearchOrAFilterCannotReadIsRefusedByName(t *testing.T) {
	t.Parallel()
	const (
		notATime = "Enter a valid date/time."
		sold     = "Select a valid choice. sold is not one of the available choices."
	)
	long := strings.Repeat("가", 101)
	for query, want := range map[string]map[string][]string{
		"search=1+2+3+4+5+6+7+8+9":     {"search": {"Ensure this field has no more than 8 words."}},
		"search=ok+" + long:            {"search": {"Ensure each word has no more than 100 characters."}},
		"customer=abc&active=maybe":    {"customer": {"No such customer."}, "active": {"Must be a valid boolean."}},
		"customer=0":                   {"customer": {"No such customer."}},
		"customer=9223372036854775808": {"customer": {"No such customer."}},
		"customer=7&customer=-1":       {"customer": {"No such customer."}},
		"state=paid,sold":              {"state": {sold}},
		"state=,sold,":                 {"state": {sold}},
		"outcome=sold":                 {"outcome": {sold}},
		"outcome=good,bad":             {"outcome": {"Select a valid choice. good,bad is not one of the available choices."}},
		"paid__gte=x&paid__lt=today":   {"paid__gte": {notATime}, "paid__lt": {notATime}},
	} {
		request, err := listing.Parse(query, list, seoul)
		require.Equal(t, fault.Invalid, fault.Of(err).Code, query)
		require.Equal(t, want, fault.Of(err).Fields, query)
		require.Zero(t, request, query)
	}
}

func TestOrderingKeepsKnownNamesOnce(t *testing.T) {
	t.Parallel()
	up := func(field string) listing.Key { return listing.Key{Field: field} }
	down := func(field string) listing.Key { return listing.Key{Field: field, Descending: true} }
	for query, want := range map[string][]listing.Key{
		"":                                    {up("id")},
		"ordering=":                           {up("id")},
		"ordering=-product":                   {down("product")},
		"ordering=-paid,+id":                  {down("paid"), up("id")},
		"ordering=password,id,-secret":        {up("id")},
		"ordering=id,-id,id":                  {up("id")},
		"ordering=--id,-,,+-+id,ID,id%3BDROP": {up("id")},
		"ordering=product,-product,-id":       {up("product"), down("id")},
		"ordering=id&ordering=-paid":          {down("paid")},
		"paid__gte=2026-11-28":                {up("paid")},
		"paid__lt=2026-11-28&ordering=-id":    {down("id")},
	} {
		require.Equal(t, want, parse(t, query).Ordering, query)
	}
}
