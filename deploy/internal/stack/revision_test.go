package stack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestRevisionIsTheCommitOfTheSourcesAndTellsWhenTheyDiffer(t *testing.T) {
	t.Parallel()
	sources := stack.Stack{Root: t.TempDir()}
	require.Empty(t, stack.Stack{Root: filepath.Join(sources.Root, "missing")}.Revision(t.Context()))
	git := func(arguments ...string) {
		command := exec.CommandContext(t.Context(), "git", append([]string{
			"-C", sources.Root, "-c", "user.name=a", "-c", "user.email=a@x.test", "-c", "commit.gpgsign=false",
		}, arguments...)...)
		output, err := command.CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	write := func(content string) {
		require.NoError(t, os.WriteFile(filepath.Join(sources.Root, "file"), []byte(content), 0o600))
	}
	write("one")
	git("init", "--quiet")
	git("add", "file")
	git("commit", "--quiet", "--no-verify", "--message", "one")
	git("tag", "v1")
	require.Regexp(t, "^[0-9a-f]{40}$", sources.Revision(t.Context()))
	write("two")
	require.Regexp(t, "^[0-9a-f]{40}-dirty$", sources.Revision(t.Context()))
}
