package httpapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzATimeOfAQueryIsOneThatAColumnCanHold(f *testing.F) {
	for _, seed := range []string{
		"2026-11-23T21:00:00.123456+09:00", "2026-11-23T21:00:00 09:00", "2026-11-23", "2026-11-23T21:00", "0000-01-01", "9999-12-31T23:59:59Z", "x",
	} {
		f.Add(seed)
	}
	seoul := time.FixedZone("", 9*60*60)
	f.Fuzz(func(t *testing.T, text string) {
		params := &query{get: func(string) string { return text }, problems: map[string][]string{}}
		at := params.time("since", seoul, earliest)
		require.False(t, at.Before(earliest))
		require.True(t, at.Before(latest))
		require.Equal(t, time.UTC, at.Location())
		if params.err() != nil {
			require.Equal(t, earliest, at)
		}
	})
}
