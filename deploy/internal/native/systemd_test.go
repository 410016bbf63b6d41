package native

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
)

func TestTheUnitsOfSystemdGiveAServiceTheSettingsThatUpGives(t *testing.T) {
	names := func(settings []string) (names []string) {
		for _, setting := range settings {
			name, _, _ := strings.Cut(setting, "=")
			names = append(names, name)
		}
		return names
	}
	runner := New(stack.Stack{Root: "/clone"}, &strings.Builder{})
	for name := range sources {
		content, err := os.ReadFile(filepath.Join("..", "..", "systemd", name+".env"))
		require.NoError(t, err)
		require.ElementsMatch(t, names(runner.environment(name)), names(strings.Fields(string(content))), name)
		unit, err := os.ReadFile(filepath.Join("..", "..", "systemd", "oms-"+name+"@.service"))
		require.NoError(t, err)
		require.Contains(t, string(unit), "EnvironmentFile=/etc/oms/"+name+".env\nExecStart=/opt/oms/%i/"+name+" serve\n")
	}
}
