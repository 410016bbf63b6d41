// Package plans_test examines the plan of every query at a million orders. These tests take minutes, so `make test-plans` runs
// them and `make test` does not. They have the servers to themselves: the disk is busy while they fill the schema.
package plans_test

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/orders/internal/store/sqlcgen"
	"oms.internal/servers/testservers"
	omssql "oms.internal/sql"
)

func TestMain(m *testing.M) { testservers.Main(m) }

func TestNoQueryScansOrSortsAMillionOrders(t *testing.T) {
	d := mysqlxtest.New(t, omssql.Orders())
	fill(t, d)
	queries := mysqlxtest.GeneratedQueries(t, "../sqlcgen")
	require.Equal(t, slices.Sorted(maps.Keys(queries)), slices.Sorted(maps.Keys(expectations)), "every query has an expectation")
	for name, expected := range expectations {
		t.Run(name, func(t *testing.T) {
			for _, statement := range capture(t, d.Root, name, expected.calls) {
				for _, step := range d.Explain(t, statement.query, statement.args...) {
					expected.check(t, step)
				}
			}
		})
	}
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
		require.Equal(t, name, mysqlxtest.QueryName(statement.query))
	}
	return captor.statements
}
