package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/version"
)

func TestTheFirstLogLineAndTheMetricsNameTheBuild(t *testing.T) {
	t.Parallel()
	build := version.Get()
	var out bytes.Buffer
	lifecycle.LogStart(t.Context(), lifecycle.NewLogger(&out, "orders", slog.LevelInfo), struct {
		Addr     string        `env:"HTTP_ADDR"`
		Password config.Secret `env:"PASSWORD_FILE,file"`
	}{":80", "secret"})
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, []any{"starting", build.Version, build.Revision, build.Go, ":80", "******"},
		[]any{line["msg"], line["version"], line["revision"], line["go"], line["HTTP_ADDR"], line["PASSWORD_FILE"]})

	metrics, err := lifecycle.NewMetrics().Gather()
	require.NoError(t, err)
	for _, family := range metrics {
		if family.GetName() != "build_info" {
			continue
		}
		labels := map[string]string{}
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		require.Equal(t, map[string]string{"version": build.Version, "revision": build.Revision, "goversion": build.Go}, labels)
		return
	}
	require.Fail(t, "there is no build_info")
}

func TestAMemoryLimitOfTheOperatorCounts(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "1GiB")
	lifecycle.LimitMemory(1 << 40)
	require.Equal(t, before, debug.SetMemoryLimit(-1))
	t.Setenv("GOMEMLIMIT", "")
	lifecycle.LimitMemory(1 << 40)
	require.Equal(t, int64(1<<40), debug.SetMemoryLimit(-1))
}
