package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestWhileACommandWorksOnlyThoseThatChangeNothingRun(t *testing.T) {
	t.Parallel()
	s := stack.Stack{Folder: t.TempDir()}
	unlock, err := s.Lock("make failover", time.Now())
	require.NoError(t, err)
	defer unlock()
	before, err := os.ReadDir(s.Data())
	require.NoError(t, err)
	lookup := environment(map[string]string{"OMS_DATA": s.Data(), "MODE": "native", "FILE": "backup.sql", "FORCE": "1"})
	for _, command := range commands() {
		if command.name == "setup" { // installs packages, wherever it runs
			continue
		}
		err := run(t.Context(), "", []string{command.name}, lookup, &strings.Builder{})
		if command.name == "admin" { // whose flag is missing here
			require.ErrorIs(t, err, errNotStarted)
			continue
		}
		if command.name == "backup-check" { // needs nothing that was started
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		if slices.Contains([]string{"ps", "logs", "replication", "poc", "supervise"}, command.name) {
			require.ErrorIs(t, err, errNotStarted, command.name)
			continue
		}
		require.ErrorContains(t, err, "`make failover` works in this data folder", command.name)
	}
	after, err := os.ReadDir(s.Data())
	require.NoError(t, err)
	require.Equal(t, before, after)
}
