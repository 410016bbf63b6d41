package listing_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
)

func FuzzParseGivesARequestInBoundsOrTheFaultInvalid(f *testing.F) {
	f.Add("", "", "", "")
	f.Add("2", "4", "a b,c", "-id,order_number")
	f.Add("-1", "99999999999999999999", strings.Repeat("x", 101), "id,id,--id")
	f.Add("+5", "0x10", "1 2 3 4 5 6 7 8 9", ",")
	f.Fuzz(func(t *testing.T, limit, offset, search, ordering string) {
		values := map[string]string{"limit": limit, "offset": offset, "search": search, "ordering": ordering}
		request, err := listing.Parse(func(name string) string { return values[name] }, orderable)
		if err != nil {
			requireRefusal(t, err)
			return
		}
		require.True(t, 1 <= request.Limit && request.Limit <= listing.MaxLimit)
		require.True(t, 0 <= request.Offset && request.Offset <= listing.MaxOffset)
		requireTerms(t, search, request.Terms)
		seen := map[string]bool{}
		for _, key := range request.Ordering {
			require.True(t, slices.Contains(orderable, key.Field) && !seen[key.Field])
			seen[key.Field] = true
		}
	})
}

func requireRefusal(t *testing.T, err error) {
	t.Helper()
	failure := fault.Of(err)
	require.Equal(t, fault.Invalid, failure.Code)
	require.NotEmpty(t, failure.Fields)
	for name, messages := range failure.Fields {
		require.Contains(t, []string{"limit", "offset", "search"}, name)
		require.Len(t, messages, 1)
	}
}

func requireTerms(t *testing.T, search string, terms []string) {
	t.Helper()
	require.LessOrEqual(t, len(terms), listing.MaxTerms)
	isSeparator := func(char rune) bool { return char == ',' || unicode.IsSpace(char) }
	for _, term := range terms {
		require.NotEmpty(t, term)
		require.False(t, strings.ContainsFunc(term, isSeparator))
		require.LessOrEqual(t, utf8.RuneCountInString(term), 100)
	}
	kept := strings.Join(terms, "")
	require.Equal(t, strings.Join(strings.FieldsFunc(search, isSeparator), ""), kept, "nothing of the search is lost")
}
