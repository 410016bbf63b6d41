package listing_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
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

func TestAWalkOutlivesReadsThatFailForAWhile(t *testing.T) {
	t.Parallel()
	for _, away := range []error{fault.NewUnavailable(nil), fault.NewTimeout(nil), fault.NewTooManyRequests(time.Second)} {
		synctest.Test(t, func(t *testing.T) {
			answers := []error{nil, away, away, nil}
			var asked []*listing.Cursor
			next := listing.Walk(listing.Request{}, 2, func(_ context.Context, request listing.Request) (listing.Rows[int], error) {
				asked = append(asked, request.Cursor)
				if err := answers[len(asked)-1]; err != nil {
					return listing.Rows[int]{}, err
				}
				return listing.Rows[int]{Values: []int{len(asked)}, Next: &listing.Cursor{Ordering: "1"}}, nil
			})
			for _, want := range [][]int{{1}, {4}} {
				got, err := next(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			require.Equal(t, asked[1], asked[2])
			require.Equal(t, asked[1], asked[3])
		})
	}
}

func TestAWalkGivesUpAtItsDeadlineAndAtMistakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for failure, most := range map[error]int{fault.NewUnavailable(nil): 4, fault.NewNotFound(): 1, errors.New("a mistake"): 1} {
			calls := 0
			next := listing.Walk(listing.Request{}, 2, func(context.Context, listing.Request) (listing.Rows[int], error) {
				if calls++; calls > 1 {
					return listing.Rows[int]{}, failure
				}
				return listing.Rows[int]{Values: []int{1}, Next: &listing.Cursor{Ordering: "1"}}, nil
			})
			_, err := next(t.Context())
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
			_, err = next(ctx)
			require.ErrorIs(t, err, failure)
			require.Equal(t, most, calls-1)
			cancel()
		}
	})
}
