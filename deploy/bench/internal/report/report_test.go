package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/bench/internal/report"
)

func TestTheMedianIsTheMiddleWhateverTheOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0}, {[]float64{4}, 4}, {[]float64{9, 1, 5}, 5}, {[]float64{8, 1, 2, 4}, 3}, {[]float64{1, 1000, 2, 3, 4}, 3},
	} {
		given := append([]float64{}, test.values...)
		require.InDelta(t, test.want, report.Median(test.values), 1e-9, "%v", test.values)
		require.Equal(t, given, append([]float64{}, test.values...), "repetitions keep their order")
	}
}

func TestARowIsHeldToItsBar(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		row     report.Row
		value   float64
		verdict string
	}{
		"a ratio above":                {report.Row{Ours: []float64{90, 80, 100}, Limit: []float64{100, 100, 90}, Bar: 0.8}, 0.9, "ok"},
		"a ratio at the bar":           {report.Row{Ours: []float64{80}, Limit: []float64{100}, Bar: 0.8}, 0.8, "ok"},
		"a ratio below":                {report.Row{Ours: []float64{40}, Limit: []float64{100}, Bar: 0.8}, 0.4, "BELOW: 50 % missing"},
		"a figure under its most":      {report.Row{Ours: []float64{3, 30, 4}, Bar: 20, AtMost: true}, 4, "ok"},
		"a figure above its most":      {report.Row{Ours: []float64{30}, Bar: 20, AtMost: true}, 30, "BELOW: 50 % too much"},
		"a wrong answer, however fast": {report.Row{Ours: []float64{90}, Limit: []float64{10}, Bar: 0.8, Wrong: "GET /: 503"}, 9, "WRONG: GET /: 503"},
		"nothing where much is due":    {report.Row{Ours: []float64{0}, Limit: []float64{500}, Bar: 0.8}, 0, "BELOW: 100 % missing"},
	} {
		require.InDelta(t, test.value, test.row.Value(), 1e-9, name)
		require.Equal(t, test.verdict, test.row.Verdict(), name)
		require.Equal(t, test.verdict == "ok", test.row.OK(), name)
	}
}

var example = report.Report{
	Date: "2026-11-30", Commit: "abc1234", Machine: "2 cores", Members: 10, Orders: 50,
	Rows: []report.Row{
		{What: "GET /orders/", Against: "the same SQL", Unit: "/s", Ours: []float64{1500, 1700, 1600}, Limit: []float64{3000, 3200, 3100}, Bar: 0.5},
		{What: "p99", Unit: "ms", Ours: []float64{25}, Bar: 20, AtMost: true, Note: "800/s were offered"},
	},
	Curves: []report.Curve{{What: "GET /orders/", Points: []report.Point{{Connections: 1, Rate: 100, P50: 1, P99: 2}}}},
	Memory: map[string]float64{"gateway": 40},
}

func TestOneRowBelowItsBarIsEnoughToFail(t *testing.T) {
	t.Parallel()
	require.False(t, example.OK())
	fine := example
	fine.Rows = example.Rows[:1]
	require.True(t, fine.OK())
}

func TestTheTableShowsMediansSpreadsAndVerdicts(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	require.NoError(t, example.Print(&text))
	lines := strings.Split(text.String(), "\n")
	require.Equal(t, "2026-11-30, commit abc1234, 2 cores, 10 members, 50 orders", lines[0])
	require.Regexp(t, `^GET /orders/ +1600 \(1500–1700\) /s +3100 \(3000–3200\) +the same SQL +0\.52 +≥ 0\.50 +ok$`, lines[2])
	require.Regexp(t, `^p99 +25\.0 ms +≤ 20\.0 ms +BELOW: 25 % too much$`, lines[3])
	markdown := example.Markdown()
	require.Contains(t, markdown, "| p99 | 25.0 ms |  |  |  | ≤ 20.0 ms | BELOW: 25 % too much |")
	require.Contains(t, markdown, "- p99: 800/s were offered.")
}

func TestAReportIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, example.Write(folder))
	got, err := report.Read(folder)
	require.NoError(t, err)
	require.Equal(t, example, got)
}
