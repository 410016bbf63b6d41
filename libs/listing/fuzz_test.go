package listing_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

func FuzzParseGivesARequestInBoundsOrAFault(f *testing.F) {
	f.Add("limit=2&offset=4&search=a b,c&ordering=-id,product")
	f.Add("limit=-1&offset=99999999999999999999&ordering=id,id,--id&cursor=")
	f.Add("search=a;b&product=%EA%BD%83&state=paid,shipped&paid__gte=2026-11-29T14:03Z")
	f.Add("cursor=e30&customer=x&&=&%zz")
	f.Fuzz(func(t *testing.T, query string) {
		request, err := listing.Parse(query, list, seoul)
		if err != nil {
			require.Contains(t, []fault.Code{fault.Invalid, fault.NotFound}, fault.Of(err).Code)
			require.Zero(t, request)
			return
		}
		require.True(t, 1 <= request.Limit && request.Limit <= listing.MaxLimit)
		require.True(t, 0 <= request.Offset && request.Offset <= listing.MaxOffset)
		require.LessOrEqual(t, len(request.Terms), listing.MaxTerms)
		for _, term := range request.Terms {
			require.NotEmpty(t, term)
			require.True(t, norm.NFC.IsNormalString(term))
			require.False(t, strings.ContainsFunc(term, func(char rune) bool { return char == ',' || unicode.IsSpace(char) }))
			require.LessOrEqual(t, utf8.RuneCountInString(term), 100)
		}
		require.NotEmpty(t, request.Ordering)
		for i, key := range request.Ordering {
			require.Contains(t, list.Ordering, key.Field)
			require.False(t, slices.ContainsFunc(request.Ordering[:i], func(before listing.Key) bool { return before.Field == key.Field }))
		}
		for _, match := range request.Matches {
			require.NotEmpty(t, match.Values)
		}
	})
}

func FuzzALinkIsReadAsTheRequestItComesFrom(f *testing.F) {
	f.Add("search=a;b&limit=2&product=%20x+y")
	f.Add("state=paid&state=shipped&ordering=-id&unknown=%26=%3D")
	f.Fuzz(func(t *testing.T, query string) {
		requested, err := url.Parse("http://shop.test/orders/?" + query)
		if err != nil || requested.RawQuery != query {
			return // no URL
		}
		request, err := listing.Parse(query, list, seoul)
		if err != nil || request.Cursor != nil {
			return
		}
		page := listing.NewPage(requested, request, listing.Rows[int]{Count: 1 << 40}, func(row int) int { return row })
		next, err := url.Parse(*page.Next)
		require.NoError(t, err)
		followed, err := listing.Parse(next.RawQuery, list, seoul)
		require.NoError(t, err)
		request.Offset = min(request.Offset+request.Limit, listing.MaxOffset)
		require.Equal(t, request, followed)

		// Another reader of URLs, such as Go's, finds the same parameters in the link.
		_, err = url.ParseQuery(next.RawQuery)
		require.NoError(t, err)
	})
}
