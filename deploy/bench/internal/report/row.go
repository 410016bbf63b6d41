// Package report keeps what a benchmark measured: medians and spreads, whether a row reaches its bar, and all of it as a table for
// people, as Markdown and as JSON. It measures nothing.
package report

import (
	"fmt"
	"slices"
	"strings"
)

// Row is one line of the table: what was measured, against what, and what it must reach.
type Row struct {
	What string `json:"what"`
	// Against is what sets the limit; "" where the bar is a figure of its own.
	Against string `json:"against,omitempty"`
	Unit    string `json:"unit"`
	// Ours and Limit are the repetitions, in the order in which they were measured.
	Ours  []float64 `json:"ours"`
	Limit []float64 `json:"limit,omitempty"`
	// Bar is what ours must be at least, as a multiple of the limit, or at most, in the unit, where AtMost is set.
	Bar    float64 `json:"bar"`
	AtMost bool    `json:"at_most,omitempty"`
	Note   string  `json:"note,omitempty"`
	// Wrong is the answer that made the figures worthless; "" if all were right.
	Wrong string `json:"wrong,omitempty"`
}

// Value is what is compared with the bar: the ratio of the medians, or ours where there is no limit.
func (r Row) Value() float64 {
	if len(r.Limit) == 0 {
		return Median(r.Ours)
	}
	return Median(r.Ours) / Median(r.Limit)
}

// OK reports whether the row reaches its bar.
func (r Row) OK() bool {
	switch {
	case r.Wrong != "" || len(r.Ours) == 0:
		return false
	case r.AtMost:
		return r.Value() <= r.Bar
	default:
		return r.Value() >= r.Bar
	}
}

// Verdict is "ok", or by how much the row misses its bar, or why it has no figures.
func (r Row) Verdict() string {
	switch {
	case r.Wrong != "":
		return "WRONG: " + r.Wrong
	case r.OK():
		return "ok"
	case r.AtMost:
		return fmt.Sprintf("BELOW: %.0f %% too much", 100*(r.Value()/r.Bar-1))
	default:
		return fmt.Sprintf("BELOW: %.0f %% missing", 100*(1-r.Value()/r.Bar))
	}
}

// Median is the middle of some values, or the mean of the two in the middle; 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// figures shows a median, and from where to where the values reach.
func figures(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	text := short(Median(values))
	if low, high := short(slices.Min(values)), short(slices.Max(values)); low != high {
		text += " (" + low + "–" + high + ")"
	}
	return text
}

// short has three digits, more only before the point.
func short(value float64) string {
	switch {
	case value >= 100 || value == 0:
		return fmt.Sprintf("%.0f", value)
	case value >= 10:
		return fmt.Sprintf("%.1f", value)
	default:
		return fmt.Sprintf("%.2f", value)
	}
}

func (r Row) cells() []string {
	if r.Wrong != "" {
		r.Ours, r.Limit = nil, nil
	}
	bar, ratio := "≥ "+short(r.Bar), ""
	if r.AtMost {
		bar = "≤ " + short(r.Bar) + " " + r.Unit
	} else if len(r.Limit) == 0 {
		bar += " " + r.Unit
	}
	if len(r.Limit) > 0 {
		ratio = short(r.Value())
	}
	return []string{r.What, strings.TrimSpace(figures(r.Ours) + " " + r.Unit), figures(r.Limit), r.Against, ratio, bar, r.Verdict()}
}

var headings = []string{"what", "ours", "the limit", "which is", "ratio", "bar", ""}
