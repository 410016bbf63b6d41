package mysqlxtest

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Query is how a generated query is examined.
type Query struct {
	// Args are the arguments of some calls, in the order of the question marks. A slice of the query is one []any.
	Args [][]any
	// Index is the one that must be used, "" where it does not matter.
	Index string
	// Exempt says why the query has no plan worth a look.
	Exempt string
}

// RequireGenerated demands of every query that sqlc generated into a folder that an index leads to its rows, without a look
// at all others, a sort or a temporary table.
func (d Database) RequireGenerated(t *testing.T, folder string, queries map[string]Query) {
	t.Helper()
	texts := GeneratedQueries(t, folder)
	require.ElementsMatch(t, slices.Collect(maps.Keys(texts)), slices.Collect(maps.Keys(queries)),
		"every query is examined, or exempt with a reason")
	for name, query := range queries {
		require.NotEqual(t, query.Exempt == "", len(query.Args) == 0, name)
		for _, args := range query.Args {
			statement, args := expanded(texts[name], args)
			for _, step := range d.Explain(t, statement, args...) {
				requireServed(t, step, name, query.Index, strings.Contains(statement, "WHERE"))
			}
		}
	}
}

func requireServed(t *testing.T, step Step, name, index string, filtered bool) {
	t.Helper()
	require.NotContains(t, step["Extra"], "filesort", "%s sorts: %v", name, step)
	require.NotContains(t, step["Extra"], "temporary", "%s makes a table: %v", name, step)
	if !step.OnTable() {
		return
	}
	require.NotEqual(t, "ALL", step["type"], "%s scans the table: %v", name, step)
	if filtered { // else walking the index is what the query is for
		require.NotEqual(t, "index", step["type"], "%s scans an index: %v", name, step)
	}
	if index != "" && step["rows"] != "1" { // where one row is met at most, every index is as good
		require.Equal(t, index, step["key"], "%s takes another index: %v", name, step)
	}
}

var sliceMark = regexp.MustCompile(`/\*SLICE:\w+\*/\?`)

// expanded gives each slice of a query as many question marks as it has values.
func expanded(query string, args []any) (statement string, flat []any) {
	for _, arg := range args {
		values, isSlice := arg.([]any)
		if !isSlice {
			flat = append(flat, arg)
			continue
		}
		flat = append(flat, values...)
		if place := sliceMark.FindStringIndex(query); place != nil {
			query = query[:place[0]] + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + query[place[1]:]
		}
	}
	return query, flat
}
