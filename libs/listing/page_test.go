package listing_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

const base = "https://shop.test:8443/orders/"

func page(t *testing.T, query string, rows listing.Rows[int]) listing.Page[string] {
	t.Helper()
	requested, err := url.Parse(base + query)
	require.NoError(t, err)
	result := listing.NewPage(requested, parse(t, requested.RawQuery), rows, func(row int) string { return string(rune(row)) })
	require.Equal(t, base+query, requested.String(), "the requested URL stays as it was")
	return result
}

func TestLinksLeadToTheNeighbouringPagesAndKeepEveryParameter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query          string
		count          int
		next, previous string // "" is null
	}{
		{query: "", count: 3},
		{query: "", count: 30},
		{query: "", count: 31, next: "?limit=30&offset=30"},
		{query: "?limit=2", count: 3, next: "?limit=2&offset=2"},
		{query: "?limit=2&offset=2", count: 3, previous: "?limit=2"},
		{query: "?limit=2&offset=4", count: 9, next: "?limit=2&offset=6", previous: "?limit=2&offset=2"},
		{query: "?limit=5&offset=2", count: 9, next: "?limit=5&offset=7", previous: "?limit=5"},
		{query: "?limit=2&offset=9", count: 3, previous: "?limit=2&offset=7"},
		{query: "?limit=2&offset=0", count: 2},
		{query: "?limit=1", count: 0},
		{query: "?limit=abc&offset=-3", count: 31, next: "?limit=30&offset=30"},
		{query: "?limit=501", count: 501, next: "?limit=500&offset=500"},
		{query: "?search=a;b&limit=2", count: 3, next: "?limit=2&offset=2&search=a%3Bb"},
		{query: "?product=x&product=y&limit=2", count: 3, next: "?limit=2&offset=2&product=x&product=y"},
		{
			query: "?search=%EA%BC%AC%EB%A7%89+x&ordering=-id&empty=&a=2&a=1&limit=1&offset=1", count: 3,
			next:     "?a=2&a=1&empty=&limit=1&offset=2&ordering=-id&search=%EA%BC%AC%EB%A7%89+x",
			previous: "?a=2&a=1&empty=&limit=1&ordering=-id&search=%EA%BC%AC%EB%A7%89+x",
		},
	} {
		got := page(t, test.query, listing.Rows[int]{Count: test.count})
		require.Equal(t, test.count, *got.Count)
		requireLink(t, test.next, got.Next, "next of "+test.query)
		requireLink(t, test.previous, got.Previous, "previous of "+test.query)
	}
}

func requireLink(t *testing.T, want string, got *string, message string) {
	t.Helper()
	if want == "" {
		require.Nil(t, got, message)
		return
	}
	require.NotNil(t, got, message)
	require.Equal(t, base+want, *got, message)
}

func TestAPageByCursorHasNoCountAndItsLinksKeepEveryOtherParameter(t *testing.T) {
	t.Parallel()
	place := &listing.Cursor{Ordering: "-product,-id", Back: true, Keys: []*string{nil, new("7")}}
	got := page(t, "?search=a;b&offset=9&cursor=&limit=2", listing.Rows[int]{Values: []int{'a'}, Next: place})
	require.Nil(t, got.Previous)
	next, err := url.Parse(*got.Next)
	require.NoError(t, err)
	require.Equal(t, url.Values{"search": {"a;b"}, "limit": {"2"}, "cursor": {place.String()}}, next.Query())
	require.Equal(t, place, parse(t, next.RawQuery).Cursor)

	encoded, err := json.Marshal(page(t, "?cursor=", listing.Rows[int]{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"next":null,"previous":null,"results":[]}`, string(encoded))
	encoded, err = json.Marshal(page(t, "", listing.Rows[int]{Values: []int{'a', 'b'}, Count: 2}))
	require.NoError(t, err)
	require.JSONEq(t, `{"count":2,"next":null,"previous":null,"results":["a","b"]}`, string(encoded))
}

func TestTheEmptyCursorBeginsAWalkAndNoOtherTextIsOne(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"cursor=", "cursor", "cursor=%20", "cursor=x&cursor="} {
		require.Equal(t, &listing.Cursor{}, parse(t, query+"&offset=7").Cursor, query)
		require.Zero(t, parse(t, query+"&offset=7").Offset, query)
	}
	for _, text := range []string{"x", "e30", "bnVsbA", "W10", "eyJrIjpbXX0", "eyJrIjo3fQ", "%F0%9F%8D%A4", "e30%3D"} {
		_, err := listing.Parse("cursor="+text, list, seoul)
		require.Equal(t, fault.NotFound, fault.Of(err).Code, text)
		require.Equal(t, "Invalid cursor", fault.Of(err).Detail, text)
	}
}
