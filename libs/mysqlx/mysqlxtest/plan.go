package mysqlxtest

import (
	"context"
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
)

// Numbers is SQL for a table "numbers" whose column n holds every whole number from 0 to count-1. A count is at most a
// million.
func Numbers(count int) string {
	const digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 " +
		"UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
	return fmt.Sprintf("(SELECT * FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d + 100000 * f.d AS n "+
		"FROM %[1]s a, %[1]s b, %[1]s c, %[1]s d, %[1]s e, %[1]s f) million WHERE n < %[2]d) numbers", digits, count)
}

// Step is one line of a query's plan, by the name of the column.
type Step map[string]string

// OnTable reports whether the step reads a table, and not the result of another step.
func (s Step) OnTable() bool { return s["table"] != "" && !strings.HasPrefix(s["table"], "<") }

// Explain returns the steps of a query's plan on the primary, as the service's own user and connection get it. The form of the
// plan is the one that both engines know.
func (d Database) Explain(t *testing.T, query string, args ...any) []Step {
	t.Helper()
	var steps []Step
	err := d.Cluster.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
		// Newer versions of MySQL draw a tree unless asked otherwise.
		rows, err := reader.QueryContext(ctx, "EXPLAIN FORMAT=TRADITIONAL "+query, args...)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, rows.Close()) }()
		steps, err = scanSteps(rows)
		return err
	})
	require.NoError(t, err, query)
	require.NotEmpty(t, steps, query)
	return steps
}

func scanSteps(rows *sql.Rows) ([]Step, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var steps []Step
	for rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		step := Step{}
		for i, column := range columns {
			step[column] = values[i].String
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

var queryTitle = regexp.MustCompile(`^-- name: (\w+) :`)

// QueryName is the name that sqlc gave a query; empty for other text.
func QueryName(query string) string {
	if match := queryTitle.FindStringSubmatch(query); match != nil {
		return match[1]
	}
	return ""
}

// GeneratedQueries reads the text of every query, by its name, from the code that sqlc wrote into a folder.
func GeneratedQueries(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.sql.go"))
	require.NoError(t, err)
	queries := map[string]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				if name := QueryName(text); name != "" {
					queries[name] = text
				}
			}
			return true
		})
	}
	require.NotEmpty(t, queries)
	return queries
}
