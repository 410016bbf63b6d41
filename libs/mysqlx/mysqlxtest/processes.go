package mysqlxtest

import (
	"context"
	"database/sql"
	"errors"
)

// Process is a session of a server.
type Process struct {
	ID, DB, State, Info sql.NullString // Info is the statement that runs
}

// Processes returns the sessions of a server. MySQL's table information_schema.processlist cannot be read while any session has a character
// beyond the basic multilingual plane in its statement.
func Processes(ctx context.Context, server *sql.DB) (processes []Process, err error) {
	rows, err := server.QueryContext(ctx, "SHOW FULL PROCESSLIST")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var process Process
		wanted := map[string]any{"Id": &process.ID, "db": &process.DB, "State": &process.State, "Info": &process.Info}
		values := make([]any, len(columns))
		for i, name := range columns {
			values[i] = new(sql.RawBytes)
			if value, is := wanted[name]; is {
				values[i] = value
			}
		}
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		processes = append(processes, process)
	}
	return processes, rows.Err()
}
