package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABuildIsNamedByWhatItWasBuiltFrom(t *testing.T) {
	t.Parallel()
	clean := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "2e166f5"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{{Key: "vcs.revision", Value: "2e166f5"}, {Key: "vcs.modified", Value: "true"}}
	for name, test := range map[string]struct {
		version  string
		settings []debug.BuildSetting
		linked   string
		want     Info
	}{
		"a release":                {"v1.2.3", clean, "", Info{"1.2.3", "2e166f5", "go1.26.0"}},
		"a commit":                 {"v0.0.0-20261129212748-2e166f5", clean, "", Info{"0.0.0-20261129212748-2e166f5", "2e166f5", "go1.26.0"}},
		"a commit that is changed": {"v0.0.0-20261129212748-2e166f5+dirty", changed, "", Info{"0.0.0-20261129212748-2e166f5+dirty", "2e166f5-dirty", "go1.26.0"}},
		"an image":                 {"(devel)", nil, "2e166f5", Info{"0.0.0-devel", "2e166f5", "go1.26.0"}},
		"no repository":            {"(devel)", nil, "", Info{"0.0.0-devel", "unknown", "go1.26.0"}},
		"a test":                   {"", nil, "", Info{"0.0.0-devel", "unknown", "go1.26.0"}},
	} {
		build := &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: test.version}, Settings: test.settings}
		require.Equal(t, test.want, from(build, test.linked), name)
	}
	require.NotEmpty(t, Get().Version)
	require.Contains(t, Get().String(), Get().Go)
}
