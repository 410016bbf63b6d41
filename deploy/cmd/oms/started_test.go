package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestACommandThatNeedsTheSystemSaysWhenNothingRuns(t *testing.T) {
	t.Parallel()
	ports, err := stack.PortsFrom(func(string) string { return "" })
	require.NoError(t, err)
	s := stack.Stack{Folder: t.TempDir(), Ports: ports}
	require.NoError(t, s.Save(stack.Native))
	getenv := func(name string) string {
		return map[string]string{"OMS_DATA": s.Data(), "FILE": "backup.sql"}[name]
	}
	for _, command := range []string{"poc", "admin", "keys", "backup", "restore"} {
		require.ErrorIs(t, run(t.Context(), "", []string{command}, getenv, &strings.Builder{}), errNotRunning, command)
	}
}
