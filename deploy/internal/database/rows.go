package database

import (
	"context"
	"database/sql"
	"fmt"
)

// Row is a row as text by column. NULL is nil.
type Row map[string]*string

// Rows returns all rows of a query whose columns the caller does not know, such as a SHOW statement, whose columns depend on the server's
// version.
func Rows(ctx context.Context, db *sql.DB, query string, arguments ...any) ([]Row, error) {
	rows, err := db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports errors
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	var result []Row
	for rows.Next() {
		values, targets := make([]*string, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		row := Row{}
		for i, column := range columns {
			row[column] = values[i]
		}
		result = append(result, row)
	}
	return result, rows.Err()
}

// Text returns the value of a column; it is empty for NULL and where there is no such column.
func (r Row) Text(column string) string {
	if value := r[column]; value != nil {
		return *value
	}
	return ""
}
