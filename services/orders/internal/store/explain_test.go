package store_test

import (
	"context"
	"database/sql"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/store/sqlcgen"
)

// It has the servers to itself, before the parallel tests: the disk is busy while it fills the schema.
func TestNoQueryScansOrSortsAMillionOrders(t *testing.T) {
	d := newDatabase(t)
	fill(t, d)
	require.Equal(t, generatedQueries(t), slices.Sorted(maps.Keys(expectations)), "every query has an expectation")
	for name, expected := range expectations {
		t.Run(name, func(t *testing.T) {
			for _, statement := range capture(t, d.root, name, expected.calls) {
				for _, step := range d.explain(t, statement) {
					expected.check(t, step)
				}
			}
		})
	}
}

// generatedQueries returns the names of all queries in the generated package, sorted.
func generatedQueries(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("sqlcgen/*.go")
	require.NoError(t, err)
	var names []string
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				if name := queryName(text); name != "" {
					names = append(names, name)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, names)
	slices.Sort(names)
	return names
}

var queryHeader = regexp.MustCompile(`^-- name: (\w+) :`)

func queryName(query string) string {
	if match := queryHeader.FindStringSubmatch(query); match != nil {
		return match[1]
	}
	return ""
}

// statement is a query as the generated code would send it.
type statement struct {
	query string
	args  []any
}

var errCaptured = errors.New("captured")

// captor is the database that the generated code gets: it keeps the statements and executes none.
type captor struct {
	db         *sql.DB
	statements []statement
}

func (c *captor) keep(query string, args []any) {
	c.statements = append(c.statements, statement{query, args})
}

func (c *captor) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	c.keep(query, args)
	return nil, errCaptured
}

func (c *captor) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	c.keep(query, args)
	return nil, errCaptured
}

// QueryRowContext returns a row that holds an error, which only a context that has ended can make.
func (c *captor) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.keep(query, args)
	ended, cancel := context.WithCancelCause(ctx)
	cancel(errCaptured)
	return c.db.QueryRowContext(ended, query)
}

func (c *captor) PrepareContext(context.Context, string) (*sql.Stmt, error) { return nil, errCaptured }

// capture makes the calls and returns their statements, all of which must be the query called name.
func capture(t *testing.T, db *sql.DB, name string, calls []call) []statement {
	t.Helper()
	require.NotEmpty(t, calls)
	captor := &captor{db: db}
	for _, call := range calls {
		require.Error(t, call(t.Context(), sqlcgen.New(captor)))
	}
	require.Len(t, captor.statements, len(calls))
	for _, statement := range captor.statements {
		require.Equal(t, name, queryName(statement.query))
	}
	return captor.statements
}

// explain returns the steps of a statement's plan, as the service's own user and connection get it.
func (d database) explain(t *testing.T, explained statement) []step {
	t.Helper()
	var steps []step
	err := d.cluster.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
		// Newer versions of MySQL draw a tree unless asked otherwise.
		rows, err := reader.QueryContext(ctx, "EXPLAIN FORMAT=TRADITIONAL "+explained.query, explained.args...)
		if err != nil {
			return err
		}
		defer func() { require.NoError(t, rows.Close()) }()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			next := step{}
			for i, column := range columns {
				next[column] = values[i].String
			}
			steps = append(steps, next)
		}
		return rows.Err()
	})
	require.NoError(t, err, explained.query)
	require.NotEmpty(t, steps, explained.query)
	return steps
}

// step is one line of a plan, by the name of the column.
type step map[string]string

// onTable reports whether the step reads the table itself and not the result of another step.
func (s step) onTable() bool { return s["table"] != "" && !strings.HasPrefix(s["table"], "<") }
