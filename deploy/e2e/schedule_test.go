package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//nolint:paralleltest // one command at a time works in a data folder
func TestTheScheduledBackupsOfTheManualWorkInTheEnvironmentOfCronAndSystemd(t *testing.T) {
	manual, err := os.ReadFile("../RECOVERY.md")
	require.NoError(t, err)
	for name, schedule := range map[string]*regexp.Regexp{
		"systemd": regexp.MustCompile(`ExecStart=/bin/sh -ec '(.+)'`),
		"cron":    regexp.MustCompile(`30 3 \* \* \* (.+)`),
	} {
		t.Run(name, func(t *testing.T) {
			found := schedule.FindSubmatch(manual)
			require.NotNil(t, found)
			clone, err := filepath.Abs("../..")
			require.NoError(t, err)
			backups := t.TempDir()
			line := strings.NewReplacer("%%", "%", `\%`, "%", "/srv/oms", clone, "/backup", backups, ".data/bin/oms", filepath.Join(system.Data, "oms")).
				Replace(string(found[1]))
			ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
			defer cancel()
			command := exec.CommandContext(ctx, "/bin/sh", "-ec", line) // #nosec G204 -- the manual's line
			command.Dir, command.Env = clone, []string{"PATH=/usr/bin:/bin", "OMS_DATA=" + system.Data}
			output, err := command.CombinedOutput()
			require.NoError(t, err, "%s\n%s", line, output)
			files, err := filepath.Glob(filepath.Join(backups, "oms-*.sql.gz"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.True(t, bytes.Contains(output, []byte("accounts.members")), "%s", output)
		})
	}
}
