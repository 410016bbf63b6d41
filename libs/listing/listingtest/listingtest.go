// Package listingtest holds what is written of a list to its declaration, and pages lists for fakes.
package listingtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/listing"
)

var name = regexp.MustCompile("`([^`]+)`")

// RequireDescribed demands that the table of lists in the reference has one row that begins with the given cell, and that
// it names the filters, the searched fields and the orderings that are declared.
func RequireDescribed(t *testing.T, reference, cell string, list listing.List) {
	t.Helper()
	var rows []string
	for line := range strings.Lines(reference) {
		if strings.HasPrefix(line, "| "+cell+" |") && strings.Count(line, "|") == 6 {
			rows = append(rows, line)
		}
	}
	require.Len(t, rows, 1, cell)
	cells := strings.Split(rows[0], "|")
	var filters []string
	for _, filter := range list.Filters {
		filters = append(filters, filter.Param)
	}
	require.ElementsMatch(t, filters, names(cells[2]), "filters of %s", cell)
	searched := "–"
	if len(list.Search) > 0 {
		searched = strings.Join(list.Search, ", ")
	}
	require.Equal(t, searched, strings.TrimSpace(cells[3]), "search of %s", cell)
	require.ElementsMatch(t, list.Ordering, names(cells[4]), "orderings of %s", cell)
}

func names(cell string) []string {
	var names []string
	for _, match := range name.FindAllStringSubmatch(cell, -1) {
		names = append(names, match[1])
	}
	return names
}
