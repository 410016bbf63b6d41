package store_test

import (
	"database/sql"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnIndexServesEveryQueryAt200000Members(t *testing.T) { //nolint:paralleltest // it fills the disk's queue
	f := newStore(t)
	f.fillMany(t)
	queries := generatedQueries(t)
	known := slices.Concat(slices.Collect(maps.Keys(planCases)), slices.Collect(maps.Keys(exempt)))
	require.ElementsMatch(t, slices.Collect(maps.Keys(queries)), known, "every generated query has plan cases or a reason to have none")
	for name, cases := range planCases {
		for _, args := range cases {
			query := withSlices(queries[name], len(args))
			for _, step := range f.explain(t, query, args) {
				requireServed(t, name, query, args, step)
			}
		}
	}
}

// requireServed checks one step of a plan.
func requireServed(t *testing.T, name, query string, args []any, step map[string]string) {
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

// generatedQueries reads the text of every query from the code that sqlc wrote.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	title := regexp.MustCompile(`^-- name: (\w+) :`)
	files, err := filepath.Glob("sqlcgen/*.sql.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	queries := map[string]string{}
	for _, path := range files {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if found := title.FindStringSubmatch(text); found != nil {
				queries[found[1]] = text
			}
			return true
		})
	}
	return queries
}

// explain returns the steps of a query's plan by column, in the tabular form that both engines know.
func (f fixture) explain(t *testing.T, query string, args []any) []map[string]string {
	t.Helper()
	rows, err := f.db.QueryContext(t.Context(), "EXPLAIN FORMAT=TRADITIONAL "+query, args...)
	require.NoError(t, err, query)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.Contains(t, columns, "Extra", "not the tabular form")
	var plan []map[string]string
	for rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		require.NoError(t, rows.Scan(targets...))
		step := map[string]string{}
		for i, column := range columns {
			step[column] = values[i].String
		}
		plan = append(plan, step)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, plan, query)
	return plan
}
