package native

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestAWrongSettingIsNamedBeforeTheBuildByWhatWasBuiltOfTheSameCommit(t *testing.T) {
	s := clone(t)
	s.Folder = t.TempDir()
	git := func(arguments ...string) {
		identity := []string{"-C", s.Root, "-c", "user.name=a", "-c", "user.email=a@x.test", "-c", "commit.gpgsign=false"}
		output, err := exec.CommandContext(t.Context(), "git", append(identity, arguments...)...).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	git("init", "--quiet")
	git("commit", "--quiet", "--no-verify", "--allow-empty", "--message", "one")
	built := func(revision string) {
		const program = `#!/bin/sh
case "$1 $REQUEST_TIMEOUT" in
"version "*) echo "$0 0.0.0 (revision %s, go1.26)" ;;
"check -"*) echo "REQUEST_TIMEOUT: $REQUEST_TIMEOUT is not positive"; exit 1 ;;
esac
`
		for name := range sources {
			file := filepath.Join(s.Data(), "bin", name)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, program, revision), 0o700)) // #nosec G306 -- a program
		}
	}
	// What the clone holds beside the commit is unknown to git, which does not make the sources another commit.
	revision := s.Revision(t.Context())
	require.NotEmpty(t, revision)
	require.NoError(t, s.Save(stack.Native))
	s.Choices = stack.Choices{"REQUEST_TIMEOUT": "-1s"}
	built(revision)
	var out strings.Builder
	err := New(s, &out).Up(t.Context())
	for _, name := range []string{"orders", "accounts"} {
		require.ErrorContains(t, err, name+": exit status 1\nREQUEST_TIMEOUT: -1s is not positive")
	}
	require.Empty(t, out.String(), "nothing was begun")
	record, _, err := s.Recorded()
	require.NoError(t, err)
	require.Empty(t, slices.Collect(maps.Keys(record.Choices)))

	built("another")
	require.NoError(t, New(s, &out).checkSettingsEarly(t.Context()), "it may know other rules")
}
