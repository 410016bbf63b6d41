package listing_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/listing"
)

func decomposed(text string) string { return url.QueryEscape(norm.NFD.String(text)) }

func is(field string, value any) listing.Match {
	return listing.Match{Field: field, Op: listing.Is, Values: []any{value}}
}

func TestAFilterIsTrimmedAndComposedAndAnEmptyOneIsNone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 15, 0, 0, 0, time.UTC)
	for query, want := range map[string][]listing.Match{
		"": nil,
		"product=&customer=&active=&outcome=&state=&paid__gte=": nil,
		"product=%20&customer=+&state=%E3%80%80&paid__lt=%09":   nil,
		"product=+x+y%20":              {is("product", "x y")},
		"product=x%3By;z":              {is("product", "x;y;z")},
		"product=" + decomposed("꽃다발"): {is("product", "꽃다발")},
		"product=none&product=X":       {is("product", "X")},
		"product=X&product=":           nil,
		"customer=+7+":                 {is("customer", uint64(7))},
		"active=True":                  {is("active", true)},
		"active=0":                     {is("active", false)},
		"outcome=bad":                  {is("outcome", "bad")},
		"state=paid":                   {{Field: "state", Op: listing.In, Values: []any{"paid"}}},
		"state=shipped,+paid,paid,":    {{Field: "state", Op: listing.In, Values: []any{"shipped", "paid"}}},
		"state=,":                      {{Field: "state", Op: listing.In, Values: []any{""}}}, // which no row has
		"state=+,,+":                   {{Field: "state", Op: listing.In, Values: []any{""}}},
		"paid__gte=2026-11-28&paid__lt=2026-11-28": {
			{Field: "paid", Op: listing.AtLeast, Values: []any{at}}, {Field: "paid", Op: listing.Below, Values: []any{at}},
		},
		"Product=x&unknown=1": nil,
	} {
		require.Equal(t, want, parse(t, query).Matches, query)
	}
}

func TestARequestIsNarrowedToOneValue(t *testing.T) {
	t.Parallel()
	request := parse(t, "customer=7&product=x")
	require.Equal(t, uint64(7), request.Value("customer"))
	require.Nil(t, request.Value("outcome"))
	require.Equal(t, request, request.Only("customer", uint64(7)))
	narrowed := request.Only("outcome", "bad")
	require.Equal(t, []listing.Match{is("customer", uint64(7)), is("product", "x"), is("outcome", "bad")}, narrowed.Matches)
	require.Len(t, request.Matches, 2, "the request stays as it was")
}
