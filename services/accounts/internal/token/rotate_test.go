package token_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/token"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var result []string
	for _, entry := range entries {
		result = append(result, entry.Name())
	}
	return result
}

func TestARotationAddsTheNewestKeyWhateverThePresentOnesAreCalled(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 5, time.UTC)
	for _, present := range []string{"20260101T000000Z.pem", "20261123T120000.000000005Z.pem", "29990101T000000Z.pem", "zzz.pem", "a.pem"} {
		dir := t.TempDir()
		writeKey(t, dir, present)
		var rotation token.Rotation
		for range 3 { // at the same moment, by the clock
			var err error
			rotation, err = token.Rotate(dir, now, 10_000*time.Hour)
			require.NoError(t, err)
			require.Empty(t, rotation.Removed)
		}
		require.Len(t, names(t, dir), 4)
		require.Equal(t, rotation.ID, signedBy(t, load(t, dir)), present)
		info, err := os.Stat(filepath.Join(dir, rotation.Added))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
	}
}

func TestARotationRemovesKeysThatSignedNothingThatIsValid(t *testing.T) {
	t.Parallel()
	const lifetime = 10 * time.Hour
	now := time.Now()
	for _, test := range []struct {
		ages []time.Duration // of a.pem, b.pem, …
		left []string
	}{
		{[]time.Duration{1000 * time.Hour}, []string{"a.pem"}}, // it signed until now
		{[]time.Duration{1000 * time.Hour, lifetime}, []string{"a.pem", "b.pem"}},
		{[]time.Duration{1000 * time.Hour, lifetime + time.Hour}, []string{"b.pem"}},
		{[]time.Duration{50 * time.Hour, 40 * time.Hour, 30 * time.Hour, time.Hour}, []string{"c.pem", "d.pem"}},
		{[]time.Duration{50 * time.Hour, 40 * time.Hour, time.Hour, 30 * time.Hour}, []string{"b.pem", "c.pem", "d.pem"}}, // ages are odd: keep
	} {
		dir := t.TempDir()
		for i, age := range test.ages {
			name := string(rune('a'+i)) + ".pem"
			writeKey(t, dir, name)
			require.NoError(t, os.Chtimes(filepath.Join(dir, name), now.Add(-age), now.Add(-age)))
		}
		rotation, err := token.Rotate(dir, now, lifetime)
		require.NoError(t, err)
		require.ElementsMatch(t, append(test.left, rotation.Added), names(t, dir))
		require.Len(t, rotation.Removed, len(test.ages)-len(test.left))
	}
}

func TestARotationThatCannotWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	_, err := token.Rotate(filepath.Join(t.TempDir(), "missing"), time.Now(), time.Hour)
	require.Error(t, err)
}
