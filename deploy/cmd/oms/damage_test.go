package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/internal/stack"
	"oms.internal/servers/proc"
)

func TestWhatRunsIsShownAndEndedAlthoughNoFileSaysHowItWasStarted(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", "\x00"} {
		s := stack.Stack{Folder: t.TempDir()}
		lookup := environment(map[string]string{"OMS_DATA": s.Data(), "MODE": "native", "ORDERS_ADMIN_PORT": "1"})
		require.NoError(t, os.MkdirAll(filepath.Join(s.Data(), "run"), 0o700))
		for _, file := range []string{"stack.json", filepath.Join("run", "stack.json"), filepath.Join("run", "orders.json")} {
			require.NoError(t, os.WriteFile(filepath.Join(s.Data(), file), []byte(content), 0o600))
		}
		err := run(t.Context(), "", []string{"ps"}, lookup, &strings.Builder{})
		require.ErrorIs(t, err, errNotStarted)
		require.ErrorContains(t, err, filepath.Join(s.Data(), "stack.json"))
		require.NoError(t, run(t.Context(), "", []string{"down"}, lookup, &strings.Builder{}))

		record := filepath.Join(s.Data(), "run", "orders.json")
		process, err := proc.Start(proc.Command{
			Name: "orders", Path: "/bin/sleep", Args: []string{"600"}, Env: []string{"ADMIN_ADDR=127.0.0.1:1"}, Dir: t.TempDir(), Log: filepath.Join(t.TempDir(), "log"), Record: record,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, process.Kill()) })
		require.NoError(t, os.WriteFile(record, []byte(content), 0o600))
		var out strings.Builder
		require.ErrorContains(t, run(t.Context(), "", []string{"ps"}, lookup, &out), "a part does not run")
		require.Regexp(t, `orders +\d+ +9002 1 +not ready`, out.String())
		require.NoError(t, run(t.Context(), "", []string{"down"}, lookup, &out))
		require.Contains(t, out.String(), "stopping orders")
		// Its parent, this test, is told a little later than `down` sees it.
		require.Eventually(t, func() bool { return !process.Alive() }, time.Minute, 10*time.Millisecond)
	}
}
