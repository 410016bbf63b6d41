package listing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

func TestAWalkReadsPageAfterPageAndSkipsEmptyOnes(t *testing.T) {
	t.Parallel()
	pages := []listing.Rows[int]{
		{Values: []int{1, 2}, Next: &listing.Cursor{Ordering: "1"}}, {Next: &listing.Cursor{Ordering: "2"}}, {Values: []int{3}},
	}
	var asked []listing.Request
	next := listing.Walk(listing.Request{Limit: 7, Offset: 9, Terms: []string{"x"}}, 2,
		func(_ context.Context, request listing.Request) (listing.Rows[int], error) {
			asked = append(asked, request)
			return pages[len(asked)-1], nil
		})
	for _, want := range [][]int{{1, 2}, {3}, nil, nil} {
		got, err := next(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Len(t, asked, 3)
	for i, cursor := range []*listing.Cursor{{}, {Ordering: "1"}, {Ordering: "2"}} {
		require.Equal(t, listing.Request{Limit: 2, Terms: []string{"x"}, Cursor: cursor}, asked[i])
	}
}

func TestAWalkThatFailedGoesOnFromWhereItWas(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	calls := 0
	next := listing.Walk(listing.Request{}, 2, func(_ context.Context, request listing.Request) (listing.Rows[int], error) {
		if calls++; calls == 1 {
			return listing.Rows[int]{}, away
		}
		require.Equal(t, &listing.Cursor{}, request.Cursor)
		return listing.Rows[int]{Values: []int{1}}, nil
	})
	_, err := next(t.Context())
	require.ErrorIs(t, err, away)
	got, err := next(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1}, got)
}
