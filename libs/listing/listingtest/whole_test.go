package listingtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listingtest"
)

func asID(value int) uint64 { return uint64(value) }

func TestAWholeListIsPagedByOffset(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit, offset int
		want          []int
	}{{2, 0, []int{1, 2}}, {2, 4, []int{5}}, {9, 0, []int{1, 2, 3, 4, 5}}, {2, 5, []int{}}, {2, listing.MaxOffset, []int{}}} {
		rows, err := listingtest.Whole(listing.Request{Limit: test.limit, Offset: test.offset}, []int{1, 2, 3, 4, 5}, asID)
		require.NoError(t, err)
		require.Equal(t, listing.Rows[int]{Values: test.want, Count: 5}, rows)
	}
}

func TestAWholeListIsWalkedThereAndBackWhileItGrows(t *testing.T) {
	t.Parallel()
	values := []int{1, 2, 3, 4, 5}
	request := listing.Request{Limit: 2, Cursor: &listing.Cursor{}}
	var seen []int
	var last *listing.Cursor
	for request.Cursor != nil {
		rows, err := listingtest.Whole(request, values, asID)
		require.NoError(t, err)
		seen = append(seen, rows.Values...)
		if last := values[len(values)-1]; last < 7 { // the oldest go, as newer ones come
			values = append(values[1:], last+1)
		}
		request.Cursor, last = rows.Next, rows.Previous
	}
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7}, seen)
	require.Equal(t, []int{3, 4, 5, 6, 7}, values)
	seen = nil
	for request.Cursor = last; request.Cursor != nil; {
		rows, err := listingtest.Whole(request, values, asID)
		require.NoError(t, err)
		seen = append(append([]int{}, rows.Values...), seen...)
		request.Cursor = rows.Previous
	}
	require.Equal(t, []int{3, 4, 5, 6}, seen)
}

func TestACursorOfAnotherListIsNoneOfAWholeOne(t *testing.T) {
	t.Parallel()
	for _, cursor := range []listing.Cursor{
		{Ordering: "id", Keys: []*string{new("1")}}, {Keys: []*string{nil}}, {Keys: []*string{new("-1")}}, {Keys: []*string{new("x")}},
		{Keys: []*string{new("9223372036854775808")}}, {Keys: []*string{new("1"), new("2")}},
	} {
		_, err := listingtest.Whole(listing.Request{Limit: 2, Cursor: &cursor}, []int{1, 2, 3}, asID)
		require.Equal(t, fault.NotFound, fault.Of(err).Code)
	}
}
