package container

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestAMigrationOfWhichTheEngineDoesNotSayHowItEndedIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	// An engine that restarts breaks the connection of the client that waits. This client loses it at once, and notes what it is asked.
	asked := filepath.Join(folder, "asked")
	client := "#!/bin/sh\necho \"$@\" >>" + asked + "\n[ \"$1\" != wait ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "docker"), []byte(client), 0o700)) // #nosec G306 -- a program
	runner := New(stack.Stack{Root: t.TempDir(), Folder: t.TempDir()}, &strings.Builder{})
	name := runner.migration("accounts")
	one := instance{ID: "1", Image: "2"}
	for _, migrate := range []func() error{
		func() error { return runner.migrate(t.Context(), "accounts") },
		func() error { return runner.migrateAs(t.Context(), "accounts", one) },
	} {
		require.NoError(t, os.RemoveAll(asked))
		require.ErrorContains(t, migrate(), "goes on")
		commands, err := os.ReadFile(asked) // #nosec G304 -- a file of this test
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(commands)), "\n")
		require.Len(t, lines, 3)
		require.Contains(t, lines[0], "ps --all")
		require.Contains(t, lines[1], "--name "+name)
		require.Equal(t, "wait "+name, lines[2])
	}
}
