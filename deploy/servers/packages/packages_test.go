package packages_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/packages"
)

func TestAProgramThatIsThereIsFoundAndNotInstalled(t *testing.T) {
	t.Parallel()
	path, err := packages.Find("sh")
	require.NoError(t, err)
	require.FileExists(t, path)
	report := func(step string) { require.Fail(t, step) }
	require.NoError(t, packages.Install(t.Context(), report, "sh", "no-such-package"))
}

func TestWhatIsMissingIsNamedWithWhatBringsIt(t *testing.T) {
	t.Parallel()
	_, err := packages.Find("no-such-program")
	require.ErrorIs(t, err, exec.ErrNotFound)
	require.EqualError(t, packages.Missing("wrk", "wrk", "lua"), "wrk is not installed; run: apt-get install wrk lua")
}
