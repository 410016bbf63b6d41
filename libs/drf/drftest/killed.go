package drftest

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	asProgram = "BE_THE_PROGRAM"
	patience  = 2 * time.Minute
	poll      = 5 * time.Millisecond
)

// Main runs a package's tests, or the program in the place of a service's binary where a test started this process for that.
func Main(m *testing.M, program func() int, tests func(*testing.M)) {
	if os.Getenv(asProgram) != "" {
		os.Exit(program())
	}
	tests(m)
}

// Import is the program that imports, in a process of its own.
func (s Source) Import(t testing.TB, environ []string, more ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], append([]string{"import-drf", "--source", s.DSN}, more...)...) // #nosec G204 G702 -- this test
	command.Env = slices.Concat(environ, []string{asProgram + "=1", "TMPDIR=" + t.TempDir()})
	return command
}

// ImportKilled imports into a database in processes of which ten are killed when a random part of so many rows is taken, and then in one
// that may end.
func (s Source) ImportKilled(t testing.TB, environ []string, taken *sql.DB, rows int) {
	t.Helper()
	count := func() (count int) {
		require.NoError(t, taken.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM drf_imports").Scan(&count))
		return count
	}
	for range 10 {
		process := s.Import(t, environ)
		require.NoError(t, process.Start())
		ended := make(chan error, 1)
		go func() { ended <- process.Wait() }()
		before := count()
		until := before + rand.IntN(max(1, rows/5)) // #nosec G404 -- of a test
		running := true
		require.Eventually(t, func() bool {
			select {
			case err := <-ended: // it has taken all
				require.NoError(t, err)
				running = false
				return true
			default:
				return count() >= min(until, rows)
			}
		}, patience, poll)
		if running {
			require.NoError(t, process.Process.Kill())
			require.Error(t, <-ended)
		}
	}
	output, err := s.Import(t, environ).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// RequireEqual demands the same rows of two schemas: what the queries read, in which {} stands for the schema.
func RequireEqual(t testing.TB, root *sql.DB, one, other string, queries ...string) {
	t.Helper()
	for _, query := range queries {
		in := func(schema string) string { return strings.ReplaceAll(query, "{}", schema) }
		for _, pair := range [][2]string{{one, other}, {other, one}} {
			var differing, all int
			statement := fmt.Sprintf("SELECT (SELECT COUNT(*) FROM (%s EXCEPT %s) AS differing), (SELECT COUNT(*) FROM (%s) AS everything)",
				in(pair[0]), in(pair[1]), in(pair[0]))
			require.NoError(t, root.QueryRowContext(t.Context(), statement).Scan(&differing, &all), statement)
			require.Zero(t, differing, query)
			require.NotZero(t, all, query)
		}
	}
}
