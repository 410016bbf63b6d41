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
	commit := sources.Revision(t.Context())
	sources.Folder, sources.Choices = t.TempDir(), stack.Choices{"LOG_LEVEL": "debug"}
	ports, err := stack.PortsFrom(func(string) (string, bool) { return "", false }, stack.Ports{})
	require.NoError(t, err)
	sources.Ports = ports
	require.Empty(t, sources.Checkable(t.Context()), "nothing was built")
	require.NoError(t, sources.Save(stack.Native))
	require.Empty(t, sources.Checkable(t.Context()), "nothing was chosen anew")
	sources.Choices = stack.Choices{"LOG_LEVEL": "warn"}
	require.Equal(t, commit, sources.Checkable(t.Context()))
	write("two")
	require.Empty(t, sources.Checkable(t.Context()), "another build may know other settings")
	require.Regexp(t, "^[0-9a-f]{40}-dirty$", sources.Revision(t.Context()))
}
