package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Report is all that one run measured.
type Report struct {
	Date    string `json:"date"`
	Commit  string `json:"commit"`
	Machine string `json:"machine"`
	Quick   bool   `json:"quick,omitempty"`
	Members int    `json:"members"`
	Orders  int    `json:"orders"`
	Rows    []Row  `json:"rows"`
	// Curves are rates and latencies over load.
	Curves []Curve `json:"curves,omitempty"`
	// Growth is the rate of requests over the number of orders.
	Growth []Growth `json:"growth,omitempty"`
	// Memory is the most that each process held, in MiB.
	Memory map[string]float64 `json:"memory,omitempty"`
}

// Growth is how one request behaves as the data grow: the number of orders, and answers a second.
type Growth struct {
	What   string       `json:"what"`
	Points [][2]float64 `json:"points"`
}

// Curve is how one request behaves under load.
type Curve struct {
	What   string  `json:"what"`
	Points []Point `json:"points"`
}

// Point is one load.
type Point struct {
	Connections int     `json:"connections"` // that ask at the same time
	Rate        float64 `json:"rate"`        // answers a second
	P50         float64 `json:"p50"`         // milliseconds
	P99         float64 `json:"p99"`
}

// OK reports whether every row reaches its bar.
func (r Report) OK() bool {
	for _, row := range r.Rows {
		if !row.OK() {
			return false
		}
	}
	return true
}

// Title says when, where and of what the figures are.
func (r Report) Title() string {
	return fmt.Sprintf("%s, commit %s, %s, %d members, %d orders", r.Date, r.Commit, r.Machine, r.Members, r.Orders)
}

// Print writes the table for a terminal.
func (r Report) Print(out io.Writer) error {
	lines := [][]string{slices.Clone(headings)}
	for _, row := range r.Rows {
		lines = append(lines, row.cells())
	}
	widths := make([]int, len(headings))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	text := r.Title() + "\n"
	for _, line := range lines {
		for i, cell := range line {
			line[i] = cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		text += strings.TrimRight(strings.Join(line, "  "), " ") + "\n"
	}
	_, err := io.WriteString(out, text)
	return err
}

// Markdown is the table for a document.
func (r Report) Markdown() string {
	var text strings.Builder
	text.WriteString("# The last run\n\n" + r.Title() + ". Medians, and in brackets the lowest and the highest repetition.\n\n")
	line := func(cells []string) {
		text.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(headings)
	text.WriteString(strings.Repeat("|---", len(headings)) + "|\n")
	for _, row := range r.Rows {
		line(row.cells())
	}
	for _, row := range r.Rows {
		if row.Note != "" {
			text.WriteString("\n- " + row.What + ": " + row.Note + ".")
		}
	}
	return text.String() + "\n"
}

// The files of a report.
const (
	jsonFile     = "results.json"
	markdownFile = "RESULTS.md"
)

// Write puts the report into a folder, as JSON and as Markdown.
func (r Report) Write(folder string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(
		os.MkdirAll(folder, 0o750),
		os.WriteFile(filepath.Join(folder, jsonFile), append(content, '\n'), 0o600),
		os.WriteFile(filepath.Join(folder, markdownFile), []byte(r.Markdown()), 0o600))
}

// Read reads what Write wrote.
func Read(folder string) (report Report, err error) {
	content, err := os.ReadFile(filepath.Join(folder, jsonFile))
	if err == nil {
		err = json.Unmarshal(content, &report)
	}
	return report, err
}
