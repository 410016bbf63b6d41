package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/bench/internal/plot"
	"oms.internal/deploy/bench/internal/report"
)

func requireXML(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err, text)
	}
}

func TestALineIsDrawnFromTheOriginToTheHighestValues(t *testing.T) {
	t.Parallel()
	text, err := plot.Chart{
		Title: "Rate <over> load", X: "connections", Y: "answers a second",
		Series: []plot.Series{{Name: "own & list", Points: [][2]float64{{0, 0}, {5, 500}, {10, 1000}}}, {Name: "nothing"}},
	}.SVG()
	require.NoError(t, err)
	requireXML(t, text)
	require.Contains(t, text, `points="70.0,320.0 345.0,180.0 620.0,40.0 "`)
	require.Contains(t, text, "own &amp; list")
	require.NotContains(t, text, "nothing")
	for _, tick := range []string{">0<", ">200<", ">1000<", ">10<"} {
		require.Contains(t, text, tick)
	}
}

func TestAChartOfNothingIsStillADrawing(t *testing.T) {
	t.Parallel()
	text, err := plot.Chart{Title: "empty", Series: []plot.Series{{Name: "zero", Points: [][2]float64{{0, 0}}}}}.SVG()
	require.NoError(t, err)
	requireXML(t, text)
	require.NotContains(t, text, "NaN")
}

func TestTheDrawingsOfAReportComeFromItsFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	measured := report.Report{Curves: []report.Curve{{What: "GET /orders/", Points: []report.Point{
		{Connections: 1, Rate: 400, P50: 2.5, P99: 4}, {Connections: 16, Rate: 1600, P50: 10, P99: 30},
	}}}, Growth: []report.Growth{{What: "own list", Points: [][2]float64{{30_000, 1500}, {3_000_000, 1400}}}}}
	require.NoError(t, measured.Write(folder))
	read, err := report.Read(folder)
	require.NoError(t, err)
	require.NoError(t, plot.Draw(read, folder))
	for name, lines := range map[string][]string{
		"size.svg": {"own list", ">3000000<"}, "rate.svg": {"GET /orders/", "answers a second"}, "latency.svg": {"GET /orders/, p50", "GET /orders/, p99", "milliseconds"},
	} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		requireXML(t, string(content))
		for _, line := range lines {
			require.Contains(t, string(content), line)
		}
	}
}
