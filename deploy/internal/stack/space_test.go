package stack_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestADiskThatIsTooFullIsNamedInOneLine(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: filepath.Join(t.TempDir(), "not", "there", "yet")}
	require.NoError(t, s.RequireSpace(0))
	err := s.RequireSpace(math.MaxUint64)
	require.ErrorContains(t, err, "the disk of "+s.Data()+" has ")
	require.NotContains(t, err.Error(), "\n")
}
