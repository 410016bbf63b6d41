package devenv

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// mariadbReplication is the engine of MariaDB pairs.
type mariadbReplication struct{}

func (mariadbReplication) follow(ctx context.Context, pair *Pair, password string) error {
	return pair.Replica.asRoot(func(db *sql.DB) error {
		status, err := queryRow(ctx, db, "SHOW SLAVE STATUS")
		if err != nil {
			return err
		}
		if status["Master_Port"] != fmt.Sprint(pair.Primary.Port()) || status["Using_Gtid"] != "Slave_Pos" {
			change := fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='%s', "+
				"MASTER_PASSWORD=%s, MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
				pair.Primary.Port(), replicator, quote(password))
			for _, statement := range []string{"STOP SLAVE", change} {
				if _, err := db.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("point the replica at the primary: %w", err)
				}
			}
		}
		if _, err := db.ExecContext(ctx, "START SLAVE"); err != nil {
			return fmt.Errorf("start replication: %w", err)
		}
		return awaitReplication(ctx, db, "SHOW SLAVE STATUS", "Slave", "Slave")
	})
}

func (mariadbReplication) caughtUp(ctx context.Context, pair *Pair) error {
	return caughtUp(ctx, pair, "SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(?, ?)")
}

// awaitReplication waits until both threads of a replica run. The replica retries for ever, so what stands in its
// status now need not be the end; but an error of the applying thread is.
func awaitReplication(ctx context.Context, db *sql.DB, query, io, apply string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var broken error
	err := poll(ctx, func() error {
		status, err := queryRow(ctx, db, query)
		if err != nil {
			return err
		}
		if status["Last_SQL_Error"] != "" {
			broken = errors.New(status["Last_SQL_Error"])
			return nil
		}
		if status[io+"_IO_Running"] != "Yes" || status[apply+"_SQL_Running"] != "Yes" {
			return fmt.Errorf("replication does not run: %s %s", status["Last_IO_Error"], status["Last_SQL_Error"])
		}
		return nil
	})
	return errors.Join(broken, err)
}

// caughtUp reads the primary's position and lets the replica wait for it.
func caughtUp(ctx context.Context, pair *Pair, positionQuery, waitQuery string) error {
	var position string
	err := pair.Primary.asRoot(func(db *sql.DB) error { return db.QueryRowContext(ctx, positionQuery).Scan(&position) })
	if err != nil {
		return err
	}
	return pair.Replica.asRoot(func(db *sql.DB) error {
		return poll(ctx, func() error {
			var result sql.NullInt64
			// One second at a time: the server would not notice that we have stopped waiting.
			if err := db.QueryRowContext(ctx, waitQuery, position, 1).Scan(&result); err != nil {
				return err
			}
			if !result.Valid || result.Int64 != 0 {
				return fmt.Errorf("it has not reached %s", position)
			}
			return nil
		})
	})
}

// queryRow returns the one row of a query whose columns depend on the server's version; no row is an empty map.
func queryRow(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row := map[string]string{}
	if rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		for i, column := range columns {
			row[column] = values[i].String
		}
	}
	return row, rows.Err()
}
