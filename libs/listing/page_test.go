package listing_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

func page(t *testing.T, requested string, count int) listing.Page[int] {
	t.Helper()
	target, err := url.Parse(requested)
	require.NoError(t, err)
	request, err := listing.Parse(target.Query().Get, orderable)
	require.NoError(t, err)
	result := listing.NewPage(target, request, count, []int{1})
	require.Equal(t, requested, target.String(), "the requested URL stays as it was")
	return result
}

func TestLinksLeadToTheNeighbouringPages(t *testing.T) {
	t.Parallel()
	const base = "https://shop.test:8443/orders/"
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
		{
			query: "?search=%EA%BC%AC%EB%A7%89+x&ordering=-id&empty=&a=2&a=1&limit=1&offset=1", count: 3,
			next:     "?a=2&a=1&empty=&limit=1&offset=2&ordering=-id&search=%EA%BC%AC%EB%A7%89+x",
			previous: "?a=2&a=1&empty=&limit=1&ordering=-id&search=%EA%BC%AC%EB%A7%89+x",
		},
	} {
		got := page(t, base+test.query, test.count)
		require.Equal(t, test.count, got.Count)
		requireLink(t, base, test.next, got.Next, "next of "+test.query)
		requireLink(t, base, test.previous, got.Previous, "previous of "+test.query)
	}
}

func requireLink(t *testing.T, base, want string, got *string, message string) {
	t.Helper()
	if want == "" {
		require.Nil(t, got, message)
		return
	}
	require.NotNil(t, got, message)
	require.Equal(t, base+want, *got, message)
}

func TestFollowingNextVisitsEveryRowOnceAndPreviousLeadsBack(t *testing.T) {
	t.Parallel()
	const count = 17
	request := listing.Request{Limit: 5}
	target := &url.URL{Scheme: "http", Host: "shop.test", Path: "/orders/", RawQuery: "limit=5"}
	var offsets []int
	var previous []bool
	for {
		offsets = append(offsets, request.Offset)
		current := listing.NewPage(target, request, count, []int{})
		previous = append(previous, current.Previous != nil)
		if current.Next == nil {
			break
		}
		var err error
		target, err = url.Parse(*current.Next)
		require.NoError(t, err)
		request, err = listing.Parse(target.Query().Get, nil)
		require.NoError(t, err)
	}
	require.Equal(t, []int{0, 5, 10, 15}, offsets)
	require.Equal(t, []bool{false, true, true, true}, previous)
}

func TestAPageWithoutRowsIsAnEmptyArray(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(listing.NewPage[int](&url.URL{}, listing.Request{Limit: 1}, 0, nil))
	require.NoError(t, err)
	require.JSONEq(t, `{"count": 0, "next": null, "previous": null, "results": []}`, string(encoded))
}

func TestCompleteKnowsTheCountOfALastPageOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit, offset, rows, count int
		known                      bool
	}{
		{limit: 10, offset: 0, rows: 0, count: 0, known: true},
		{limit: 10, offset: 0, rows: 9, count: 9, known: true},
		{limit: 10, offset: 20, rows: 1, count: 21, known: true},
		{limit: 10, offset: 0, rows: 10}, // full: there may be more
		{limit: 10, offset: 20, rows: 0}, // past the end, by how much is not known
	} {
		count, known := listing.Complete(listing.Request{Limit: test.limit, Offset: test.offset}, test.rows)
		require.Equal(t, test.known, known, "%+v", test)
		require.Equal(t, test.count, count, "%+v", test)
	}
}
