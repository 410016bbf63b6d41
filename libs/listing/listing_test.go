package listing_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

var orderable = []string{"id", "order_number", "paymented_at"}

func parse(t *testing.T, query string) (listing.Request, error) {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	return listing.Parse(values.Get, orderable)
}

func TestPagesHaveDefaultsAndBounds(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]listing.Request{
		"":                             {Limit: 30},
		"limit=&offset=":               {Limit: 30},
		"limit=0":                      {Limit: 30}, // as in DRF
		"limit=2&offset=4":             {Limit: 2, Offset: 4},
		"limit=500&offset=2147483647":  {Limit: 500, Offset: 2147483647},
		"limit=007&offset=-0&page=abc": {Limit: 7},
	} {
		request, err := parse(t, query)
		require.NoError(t, err, query)
		require.Equal(t, want.Limit, request.Limit, query)
		require.Equal(t, want.Offset, request.Offset, query)
		require.Empty(t, request.Terms, query)
		require.Empty(t, request.Ordering, query)
	}
}

func TestBadValuesAreRefusedWithAMessageForEach(t *testing.T) {
	t.Parallel()
	const (
		notANumber = "A valid integer is required."
		negative   = "Ensure this value is greater than or equal to 0."
	)
	long := strings.Repeat("가", 101)
	for query, want := range map[string]map[string][]string{
		"limit=abc&offset=1.5":        {"limit": {notANumber}, "offset": {notANumber}},
		"limit=-1&offset=-1":          {"limit": {negative}, "offset": {negative}},
		"limit=-99999999999999999999": {"limit": {negative}},
		"limit=501":                   {"limit": {"Ensure this value is less than or equal to 500."}},
		"limit=99999999999999999999":  {"limit": {"Ensure this value is less than or equal to 500."}},
		"offset=2147483648":           {"offset": {"Ensure this value is less than or equal to 2147483647."}},
		"limit=%F0%9F%8D%A4":          {"limit": {notANumber}},
		"search=1+2+3+4+5+6+7+8+9":    {"search": {"Ensure this field has no more than 8 words."}},
		"search=ok+" + long:           {"search": {"Ensure each word has no more than 100 characters."}},
		"limit=x&offset=-1&search=" + long: {
			"limit": {notANumber}, "offset": {negative}, "search": {"Ensure each word has no more than 100 characters."},
		},
	} {
		request, err := parse(t, query)
		require.Equal(t, fault.Invalid, fault.Of(err).Code, query)
		require.Equal(t, want, fault.Of(err).Fields, query)
		require.Zero(t, request, query)
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
		"search=1+2+3+4+5+6+7+8":             {"1", "2", "3", "4", "5", "6", "7", "8"},
		"search=" + strings.Repeat("가", 100): {strings.Repeat("가", 100)},
	} {
		request, err := parse(t, query)
		require.NoError(t, err, query)
		require.ElementsMatch(t, want, request.Terms, query)
	}
}

func TestOrderingKeepsKnownNamesOnce(t *testing.T) {
	t.Parallel()
	up := func(field string) listing.Key { return listing.Key{Field: field} }
	down := func(field string) listing.Key { return listing.Key{Field: field, Descending: true} }
	for query, want := range map[string][]listing.Key{
		"ordering=":                               nil,
		"ordering=id":                             {up("id")},
		"ordering=-order_number":                  {down("order_number")},
		"ordering=-paymented_at,+id":              {down("paymented_at"), up("id")},
		"ordering=password,id,-secret":            {up("id")},
		"ordering=id,-id,id":                      {up("id")},
		"ordering=--id,-,,+-+id,ID,id%3BDROP":     nil,
		"ordering=order_number,-order_number,-id": {up("order_number"), down("id")},
	} {
		request, err := parse(t, query)
		require.NoError(t, err, query)
		require.Equal(t, want, request.Ordering, query)
	}
}
