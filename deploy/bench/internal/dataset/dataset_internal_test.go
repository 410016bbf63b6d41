package dataset

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADataSetIsUsedAgainOnlyIfItIsTheSame(t *testing.T) {
	t.Parallel()
	folder, size := t.TempDir(), Size{Members: 1000, Orders: 5000}
	there := func(size Size) bool {
		found, err := Recorded(folder, size)
		require.NoError(t, err)
		return found
	}
	require.False(t, there(size), "nothing was loaded")
	require.NoError(t, writeRecord(folder, size))
	require.True(t, there(size))
	require.False(t, there(Size{Members: 1000, Orders: 6000}))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "dataset.json"), []byte(`{"members":1000,"orders":5000,"version":"of other statements"}`), 0o600))
	require.False(t, there(size))
}
