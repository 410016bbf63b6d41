package listsql

import (
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

// rowsOf are the rows of a part of a list of count rows, whose ids are their places.
func rowsOf(of part, count int) (places []place) {
	for i := of.offset; i < min(of.offset+of.limit, count); i++ {
		id := i
		if of.backward {
			id = count - 1 - i
		}
		places = append(places, place{id: uint64(id)})
	}
	return places
}

func TestAPageIsTheSameFromEitherEndWhateverTheEndWasTakenFor(t *testing.T) {
	t.Parallel()
	backward, again := 0, 0
	for count := range 90 {
		for _, request := range []listing.Request{
			{Limit: 1}, {Limit: 7}, {Limit: 7, Offset: 3}, {Limit: 7, Offset: 40}, {Limit: 7, Offset: 55}, {Limit: 30, Offset: 60},
			{Limit: 500, Offset: 50}, {Limit: 1, Offset: 88}, {Limit: 7, Offset: listing.MaxOffset},
		} {
			want := rowsOf(part{offset: request.Offset, limit: request.Limit}, count)
			for taken := range 120 {
				plan := Plan{table: &Table{}, index: &primary, request: request}
				of := plan.nearer(taken)
				rows := rowsOf(of, count)
				page, found := of.page(rows, count, request)
				if !found {
					require.False(t, taken-slack <= count && count <= taken+slack && count > request.Offset, "%d rows, taken for %d: %+v", count, taken, request)
					again++
					of = plan.nearer(count)
					page, found = of.page(rowsOf(of, count), count, request)
				}
				if of.backward {
					backward++
				}
				require.True(t, found)
				require.Equal(t, want, page, "%d rows, taken for %d: %+v", count, taken, request)
			}
		}
	}
	require.NotZero(t, backward)
	require.NotZero(t, again)
}
