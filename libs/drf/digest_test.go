package drf

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADigestTellsEveryRowFromEveryOther(t *testing.T) {
	t.Parallel()
	seen := map[Digest]bool{}
	for _, fields := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"a", "", "b"}, {"a\x00b"}} {
		for _, secret := range []string{"", "s", "t"} {
			digest := Of(secret, fields...)
			require.False(t, seen[digest], "%q %q", fields, secret)
			seen[digest] = true
			require.True(t, digest.SameFields(Of("other", fields...)))
			require.Equal(t, secret == "s", digest.SameSecret(Of("s", "other")))
			require.Equal(t, Of("s", fields...), digest.WithSecretOf(Of("s", "other")))
		}
	}
	require.NotEqual(t, of(nil, []sql.RawBytes{nil}), of(nil, []sql.RawBytes{{}}), "NULL is no empty text")
}

func TestDifferencesComeBackFromTheirFileInBatchesThatSuitTheirWork(t *testing.T) {
	t.Parallel()
	spool, err := newSpool[uint64]()
	require.NoError(t, err)
	defer func() { require.NoError(t, spool.close()) }()
	const all = 2500
	for i := range uint64(all) {
		kind := New
		if i >= 2000 {
			kind = Changed
		}
		require.NoError(t, spool.add(Difference[uint64]{Kind: kind, Key: i, Fields: []sql.NullString{{}, {String: "이름", Valid: true}}, Source: Of("", "x")}))
	}
	var sizes []int
	next := uint64(0)
	require.NoError(t, spool.batches(func(batch []Difference[uint64]) error {
		sizes = append(sizes, len(batch))
		for _, difference := range batch {
			require.Equal(t, next, difference.Key)
			require.Equal(t, []sql.NullString{{}, {String: "이름", Valid: true}}, difference.Fields)
			require.Equal(t, Of("", "x"), difference.Source)
			next++
		}
		return nil
	}))
	require.Equal(t, []int{1000, 1000, 100, 100, 100, 100, 100}, sizes)
}
