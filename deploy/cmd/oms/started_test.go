package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

// environment is an environment with these variables only.
func environment(variables map[string]string) stack.Lookup {
	return func(name string) (string, bool) {
		value, set := variables[name]
		return value, set
	}
}

func TestACommandThatNeedsTheSystemSaysWhenNothingRuns(t *testing.T) {
	t.Parallel()
	s, err := stack.Find(environment(map[string]string{"OMS_DATA": t.TempDir()}))
	require.NoError(t, err)
	require.NoError(t, s.Save(stack.Native))
	lookup := environment(map[string]string{"OMS_DATA": s.Data(), "FILE": "backup.sql"})
	for _, command := range []string{"poc", "admin", "import-drf", "keys", "backup", "restore"} {
		require.ErrorIs(t, run(t.Context(), "", []string{command}, lookup, &strings.Builder{}), errNotRunning, command)
	}
}
