package dataset

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Load fills both servers of an empty system and notes that in the folder. It says every few seconds on out how far it is.
func Load(ctx context.Context, folder string, size Size, servers [2]*sql.DB, out io.Writer) error {
	all := tables(size, passwordHash())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var steps [2]atomic.Value
	go tell(ctx, out, began, &steps)
	var errs [2]error
	var working sync.WaitGroup
	for i, server := range servers {
		working.Go(func() {
			if errs[i] = fill(ctx, server, all, &steps[i]); errs[i] != nil {
				cancel()
			}
		})
	}
	working.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if err := compare(ctx, servers, all); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	_, err := fmt.Fprintf(out, "loaded %d members and %d orders in %.0f s\n", size.Members, size.Orders, time.Since(began).Seconds())
	return errors.Join(err, writeRecord(folder, size))
}

func tell(ctx context.Context, out io.Writer, began time.Time, steps *[2]atomic.Value) {
	ticker := time.NewTicker(3 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_, _ = fmt.Fprintf(out, "loading (%.0f s): primary %v, replica %v\n", time.Since(began).Seconds(), steps[0].Load(), steps[1].Load())
		}
	}
}

// fill makes all rows on one server. Keys besides the primary one are made afterwards, because to sort a million entries once
// takes a fraction of the time of a million insertions.
func fill(ctx context.Context, server *sql.DB, all []table, step *atomic.Value) error {
	session, err := server.Conn(ctx)
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // the session is of no use any more
	run := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := session.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("%.200s: %w", statement, err)
			}
		}
		return nil
	}
	if err := run("SET SESSION sql_log_bin = 0", "SET SESSION unique_checks = 0", "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci"); err != nil {
		return err
	}
	if err := run("USE accounts", longAgo, "USE orders", longAgo); err != nil {
		return err
	}
	for _, table := range all {
		drop, add, err := keysOf(ctx, session, table)
		if err != nil {
			return err
		}
		if err := run("USE "+table.schema, drop); err != nil {
			return err
		}
		for from, rows := 1, max(table.rows, 1); from <= rows; from += max(table.chunk, 1) {
			to := min(from+table.chunk-1, rows)
			step.Store(fmt.Sprintf("%s %d of %d", table.Name, from-1, rows))
			if err := run(strings.NewReplacer("{from}", number(from), "{to}", number(to)).Replace(table.insert)); err != nil {
				return err
			}
		}
		step.Store("keys of " + table.Name)
		if err := run(add, "ANALYZE NO_WRITE_TO_BINLOG TABLE "+table.Name); err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns the statements that drop all keys of a table but the primary one, and that add them again. Where there is none they do
// nothing.
func keysOf(ctx context.Context, session *sql.Conn, table table) (drop, add string, err error) {
	rows, err := session.QueryContext(ctx, `SELECT index_name, MIN(non_unique), GROUP_CONCAT(column_name ORDER BY seq_in_index)
		FROM information_schema.statistics WHERE table_schema = ? AND table_name = ? AND index_name <> 'PRIMARY' GROUP BY index_name`,
		table.schema, table.Name)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var drops, adds []string
	for rows.Next() {
		var name, columns string
		var repeats bool
		if err := rows.Scan(&name, &repeats, &columns); err != nil {
			return "", "", err
		}
		kind := "UNIQUE KEY"
		if repeats {
			kind = "KEY"
		}
		drops = append(drops, "DROP KEY "+name)
		adds = append(adds, fmt.Sprintf("ADD %s %s (%s)", kind, name, columns))
	}
	if len(drops) == 0 {
		return "DO 0", "DO 0", rows.Err()
	}
	alter := "ALTER TABLE " + table.Name + " "
	return alter + strings.Join(drops, ", "), alter + strings.Join(adds, ", "), rows.Err()
}

// compare demands the same rows of both servers. CHECKSUM TABLE is of no use, because it differs between two servers where there are
// virtual columns.
func compare(ctx context.Context, servers [2]*sql.DB, all []table) error {
	for _, table := range all {
		var columns string
		err := servers[0].QueryRowContext(ctx, `SELECT GROUP_CONCAT('HEX(COALESCE(', column_name, ', 0))' ORDER BY ordinal_position)
			FROM information_schema.columns WHERE table_schema = ? AND table_name = ?`, table.schema, table.Name).Scan(&columns)
		if err != nil {
			return err
		}
		type sums struct{ rows, sum int64 }
		var of [2]sums
		for i, server := range servers {
			// #nosec G201 -- names of tables and columns
			query := fmt.Sprintf("SELECT COUNT(*), SUM(CRC32(CONCAT_WS(',', %s))) FROM %s.%s", columns, table.schema, table.Name)
			if err := server.QueryRowContext(ctx, query).Scan(&of[i].rows, &of[i].sum); err != nil {
				return err
			}
		}
		if of[0] != of[1] || of[0].rows != int64(table.rows) && (table.rows > 0 || of[0].rows == 0) {
			return fmt.Errorf("%s.%s: the servers hold different rows, or not all: %v", table.schema, table.Name, of)
		}
	}
	return nil
}

func number(n int) string { return strconv.Itoa(n) }
