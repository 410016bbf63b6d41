package dbpair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// quote makes an SQL string literal that means the same under any sql_mode.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// execAll executes statements in order.
func execAll(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// queryText returns the only value of a query, as text. NULL is an error, because engines answer so for what they cannot read.
func queryText(ctx context.Context, db *sql.DB, query string, arguments ...any) (string, error) {
	var value sql.NullString
	err := db.QueryRowContext(ctx, query, arguments...).Scan(&value)
	if err == nil && !value.Valid {
		err = fmt.Errorf("the server does not know %s", query)
	}
	return value.String, err
}

// queryStrings returns the values of a query with one column.
func queryStrings(ctx context.Context, db *sql.DB, query string) (values []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// queryRow returns the first row of a query by column. Without a row the map is empty.
func queryRow(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := queryRows(ctx, db, query)
	if err != nil || len(rows) == 0 {
		return map[string]string{}, err
	}
	return rows[0], nil
}

// Sessions returns the sessions of a server by column: Id, User, db, Command, State, Info (the statement that runs). It does not read the table
// information_schema.processlist, for which a full disk may have no room, and which MySQL does not show while any session has a
// character beyond the basic multilingual plane in its statement.
func Sessions(ctx context.Context, db *sql.DB) ([]map[string]string, error) {
	return queryRows(ctx, db, "SHOW FULL PROCESSLIST")
}

// queryRows returns the rows of a query by column. It is for queries whose columns depend on the server's version.
func queryRows(ctx context.Context, db *sql.DB, query string) (all []map[string]string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports errors
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := map[string]string{}
		for i, column := range columns {
			row[column] = values[i].String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
