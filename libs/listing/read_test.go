package listing_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

// table is a list whose statements are counted.
type table struct {
	ids        []uint64
	gone       uint64
	executed   []string
	failing    string
	wholeCount int64
}

var errBroken = errors.New("broken")

func (q *table) execute(what string) error {
	q.executed = append(q.executed, what)
	if what == q.failing {
		return errBroken
	}
	return nil
}

func (q *table) read(t *testing.T, request listing.Request) ([]string, int, error) {
	t.Helper()
	return listing.Statements[*table, uint64, string]{
		IDs:   func(_ context.Context, q *table) ([]uint64, error) { return q.ids, q.execute("ids") },
		Count: func(_ context.Context, q *table) (int64, error) { return q.wholeCount, q.execute("count") },
		Rows: func(_ context.Context, ids []uint64) ([]uint64, error) {
			var rows []uint64
			for i := range ids {
				if id := ids[len(ids)-1-i]; id != q.gone {
					rows = append(rows, id)
				}
			}
			return rows, q.execute("rows")
		},
		Value: func(row uint64) (uint64, string) { return row, string(rune('a' + row)) },
	}.Read(t.Context(), q, request)
}

func TestAPageIsInTheOrderOfItsIDsAndLacksWhatIsGone(t *testing.T) {
	t.Parallel()
	list := &table{ids: []uint64{3, 1, 2, 0}, gone: 2}
	values, count, err := list.read(t, listing.Request{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{"d", "b", "a"}, values)
	require.Equal(t, 4, count)
	require.Equal(t, []string{"ids", "rows"}, list.executed)
}

func TestOnlyAFullPageOrOnePastTheEndIsCounted(t *testing.T) {
	t.Parallel()
	full := &table{ids: []uint64{0, 1}, gone: 9, wholeCount: 7}
	values, count, err := full.read(t, listing.Request{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, values)
	require.Equal(t, 7, count)
	require.Equal(t, []string{"ids", "count", "rows"}, full.executed)

	past := &table{wholeCount: 7}
	values, count, err = past.read(t, listing.Request{Limit: 2, Offset: 100})
	require.NoError(t, err)
	require.Empty(t, values)
	require.Equal(t, 7, count)
	require.Equal(t, []string{"ids", "count"}, past.executed)

	empty := &table{}
	_, count, err = empty.read(t, listing.Request{Limit: 2})
	require.NoError(t, err)
	require.Zero(t, count)
	require.Equal(t, []string{"ids"}, empty.executed)
}

func TestAStatementThatFailsEndsTheList(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{"ids", "count", "rows"} {
		list := &table{ids: []uint64{0, 1}, failing: failing}
		_, _, err := list.read(t, listing.Request{Limit: 2})
		require.ErrorIs(t, err, errBroken, failing)
	}
}
