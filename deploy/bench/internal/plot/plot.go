// Package plot draws lines as SVG, from what a report holds. The drawing is a template: axes from 0, a line for each series, its name at
// its end. A plotting library would bring fonts and rasterizers for no more than that.
package plot

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Series is one line.
type Series struct {
	Name   string
	Points [][2]float64 // x and y, from left to right
}

// Chart is a drawing.
type Chart struct {
	Title, X, Y string
	Series      []Series
}

//go:embed chart.svg.tmpl
var chartText string

var chart = template.Must(template.New("chart.svg").Parse(chartText))

// The place of the axes in the drawing.
const (
	left, right = 70, 620
	top, bottom = 40, 320
)

var colours = []string{"#0b6e99", "#c4541d", "#4d7c0f", "#7c3aed", "#be185d", "#475569"}

type tick struct {
	At   string
	Text string
}

type line struct {
	Name, Colour, Points string
	X, Y                 string
}

// SVG returns the drawing.
func (c Chart) SVG() (string, error) {
	var highest [2]float64
	for _, series := range c.Series {
		for _, point := range series.Points {
			highest[0], highest[1] = max(highest[0], point[0]), max(highest[1], point[1])
		}
	}
	stepX, stepY := step(highest[0]), step(highest[1])
	endX, endY := stepX*max(1, math.Ceil(highest[0]/stepX)), stepY*max(1, math.Ceil(highest[1]/stepY))
	x := func(value float64) string { return fmt.Sprintf("%.1f", left+(right-left)*value/endX) }
	y := func(value float64) string { return fmt.Sprintf("%.1f", bottom-(bottom-top)*value/endY) }
	ticks := func(step, end float64, at func(float64) string) (all []tick) {
		for i := 0; float64(i)*step <= end; i++ {
			all = append(all, tick{at(float64(i) * step), strconv.FormatFloat(float64(i)*step, 'f', -1, 64)})
		}
		return all
	}
	drawing := map[string]any{
		"Title": c.Title, "X": c.X, "Y": c.Y, "TicksX": ticks(stepX, endX, x), "TicksY": ticks(stepY, endY, y),
		"Left": left, "Right": right, "Top": top, "Bottom": bottom,
	}
	var lines []line
	for i, series := range c.Series {
		if len(series.Points) == 0 {
			continue
		}
		drawn := line{Name: series.Name, Colour: colours[i%len(colours)]}
		for _, point := range series.Points {
			drawn.X, drawn.Y = x(point[0]), y(point[1])
			drawn.Points += drawn.X + "," + drawn.Y + " "
		}
		lines = append(lines, drawn)
	}
	drawing["Lines"] = lines
	var text strings.Builder
	err := chart.Execute(&text, drawing)
	return text.String(), err
}

// step is 1, 2 or 5 times a power of ten, so that an axis up to the highest value has about five steps.
func step(highest float64) float64 {
	if highest <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(highest/5)))
	for _, factor := range []float64{1, 2, 5} {
		if highest/(factor*power) <= 5 {
			return factor * power
		}
	}
	return 10 * power
}
