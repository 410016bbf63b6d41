package plot

import (
	"errors"
	"os"
	"path/filepath"

	"oms.internal/deploy/bench/internal/report"
)

// Draw draws what a report holds into a folder: the rate and the latency over the number of connections, and the rate over the
// size of the data. What the report does not hold is not drawn.
func Draw(r report.Report, folder string) error {
	if len(r.Growth) > 0 {
		sizes := Chart{Title: "Rate over the size of the data", X: "orders", Y: "answers a second"}
		for _, growth := range r.Growth {
			sizes.Series = append(sizes.Series, Series{Name: growth.What, Points: growth.Points})
		}
		if err := write(sizes, folder, "size.svg"); err != nil {
			return err
		}
	}
	if len(r.Curves) == 0 {
		return nil
	}
	rates := Chart{Title: "Rate over load", X: "requests at the same time", Y: "answers a second"}
	latencies := Chart{Title: "Latency over load", X: "requests at the same time", Y: "milliseconds"}
	for _, curve := range r.Curves {
		rate, median, high := Series{Name: curve.What}, Series{Name: curve.What + ", p50"}, Series{Name: curve.What + ", p99"}
		for _, point := range curve.Points {
			x := float64(point.Connections)
			rate.Points = append(rate.Points, [2]float64{x, point.Rate})
			median.Points = append(median.Points, [2]float64{x, point.P50})
			high.Points = append(high.Points, [2]float64{x, point.P99})
		}
		rates.Series = append(rates.Series, rate)
		latencies.Series = append(latencies.Series, median, high)
	}
	return errors.Join(write(rates, folder, "rate.svg"), write(latencies, folder, "latency.svg"))
}

func write(chart Chart, folder, name string) error {
	text, err := chart.SVG()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600)
}
