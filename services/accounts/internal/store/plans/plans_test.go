// Package plans_test examines the plan of every query at 200,000 members. These tests take long, so `make test-plans` runs
// them and `make test` does not. They have the servers to themselves: the disk is busy while they fill the schema.
package plans_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
	schemas "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

func TestAnIndexServesEveryQueryAt200000Members(t *testing.T) {
	d := mysqlxtest.New(t, schemas.Accounts())
	fill(t, d)
	queries := mysqlxtest.GeneratedQueries(t, "../sqlcgen")
	known := slices.Concat(slices.Collect(maps.Keys(planCases)), slices.Collect(maps.Keys(exempt)))
	require.ElementsMatch(t, slices.Collect(maps.Keys(queries)), known, "every generated query has plan cases or a reason to have none")
	for name, cases := range planCases {
		for _, args := range cases {
			query := withSlices(queries[name], len(args))
			for _, step := range d.Explain(t, query, args...) {
				requireServed(t, name, query, args, step)
			}
		}
	}
}

// requireServed checks one step of a plan.
func requireServed(t *testing.T, name, query string, args []any, step mysqlxtest.Step) {
	t.Helper()
	require.NotEqual(t, "ALL", step["type"], "%s %v scans the table: %v", name, args, step)
	if strings.Contains(query, "WHERE") { // without one, walking an index to the page is what it is for
		require.NotEqual(t, "index", step["type"], "%s %v scans an index: %v", name, args, step)
	}
	require.NotContains(t, step["Extra"], "filesort", "%s %v sorts: %v", name, args, step)
	require.NotContains(t, step["Extra"], "temporary", "%s %v makes a table: %v", name, args, step)
	index, demanded := indexes[name]
	if !demanded || step["table"] == "" || step["rows"] == "1" {
		// No table is read where a unique key tells that there is no such row, and every index is as good where one row is met
		// at most.
		return
	}
	require.Equal(t, index, step["key"], "%s %v takes another index: %v", name, args, step)
	if strings.Contains(query, "SELECT id FROM") || strings.Contains(query, "SELECT COUNT(*)") {
		require.Contains(t, step["Extra"], "Using index", "%s %v reads rows: %v", name, args, step)
	}
}

var sliceMark = regexp.MustCompile(`/\*SLICE:\w+\*/\?`)

// withSlices gives the slices of a query, which are all of the same length, the question marks that are left for them.
func withSlices(query string, args int) string {
	count := len(sliceMark.FindAllString(query, -1))
	if count == 0 {
		return query
	}
	others := strings.Count(query, "?") - count
	return sliceMark.ReplaceAllLiteralString(query, strings.TrimSuffix(strings.Repeat("?,", (args-others)/count), ","))
}
