package dbpair

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// TrimLogs removes the oldest binary logs of a server while all of them are larger than limit, in bytes. It keeps every log that holds what
// the other server of the pair has not applied, and the newest one. So a replica finds what it lacks, however much that is, and after a
// failover so does the old primary. It fails, and removes nothing, if either server does not answer.
//
// The engines have no such limit: MySQL knows none, MariaDB only since 11.4. What they have is an age, which holds whether the replica
// still needs a log or not.
func TrimLogs(ctx context.Context, server, other *sql.DB, limit uint64) (removed int, err error) {
	logs, err := binaryLogs(ctx, server)
	if err != nil {
		return 0, fmt.Errorf("list binary logs: %w", err)
	}
	first := firstWithin(logs, limit)
	for ; first > 0; first-- {
		applied, err := appliedBefore(ctx, server, other, logs[first].name)
		if err != nil {
			return 0, fmt.Errorf("compare the servers at the beginning of %s: %w", logs[first].name, err)
		}
		if applied {
			break
		}
	}
	if first == 0 {
		return 0, nil
	}
	if err := execAll(ctx, server, "PURGE BINARY LOGS TO "+quote(logs[first].name)); err != nil {
		return 0, fmt.Errorf("remove binary logs: %w", err)
	}
	left, err := binaryLogs(ctx, server) // the server itself keeps a log that is being read
	return max(0, len(logs)-len(left)), err
}

// LimitLogs sets the size at which a server begins the next binary log, and the age at which it removes one whoever needs it. A server
// that restarts has those of its configuration again.
func LimitLogs(ctx context.Context, server *sql.DB, size uint64, age time.Duration) error {
	seconds := uint64(age / time.Second)
	var haveSize, haveSeconds uint64
	err := server.QueryRowContext(ctx, "SELECT @@GLOBAL.max_binlog_size, @@GLOBAL.binlog_expire_logs_seconds").Scan(&haveSize, &haveSeconds)
	if err != nil {
		return fmt.Errorf("limits of binary logs: %w", err)
	}
	// The engines take multiples of this size, up to 1 GiB.
	const block, most = 4096, 1 << 30
	if size = min(size/block*block, most); haveSize == size && haveSeconds == seconds {
		return nil
	}
	err = execAll(ctx, server, fmt.Sprintf("SET GLOBAL max_binlog_size = %d", size),
		fmt.Sprintf("SET GLOBAL binlog_expire_logs_seconds = %d", seconds))
	if err != nil {
		return fmt.Errorf("limits of binary logs: %w", err)
	}
	return nil
}

type binaryLog struct {
	name string
	size uint64
}

func binaryLogs(ctx context.Context, db *sql.DB) (logs []binaryLog, err error) {
	rows, err := db.QueryContext(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err reports errors
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var log binaryLog
		var encrypted string // MySQL says that, too
		if err := rows.Scan([]any{&log.name, &log.size, &encrypted}[:len(columns)]...); err != nil {
			return nil, err
		}
		logs = append(logs, log)
	}
	return logs, rows.Err()
}

// firstWithin returns the index of the oldest log that fits with all later ones into limit. The newest log always stays.
func firstWithin(logs []binaryLog, limit uint64) int {
	first, sum := len(logs), uint64(0)
	for first > 0 {
		sum += logs[first-1].size
		if sum > limit {
			break
		}
		first--
	}
	return max(0, min(first, len(logs)-1))
}

// appliedBefore reports whether the other server has applied everything that is in the logs before the named one.
func appliedBefore(ctx context.Context, server, other *sql.DB, log string) (bool, error) {
	version, err := queryText(ctx, server, "SELECT VERSION()")
	if err != nil {
		return false, err
	}
	if strings.Contains(version, "MariaDB") {
		const start = 4 // of a log, in bytes
		before, err := queryGTIDs(ctx, server, "SELECT BINLOG_GTID_POS(?, ?)", log, start)
		if err != nil {
			return false, err
		}
		applied, err := queryGTIDs(ctx, other, "SELECT @@GLOBAL.gtid_current_pos")
		return err == nil && !before.byDomain().exceed(applied.byDomain()), err
	}
	// A log's second event holds what was logged before it.
	event, err := queryRow(ctx, server, "SHOW BINLOG EVENTS IN "+quote(log)+" LIMIT 1, 1")
	if err != nil {
		return false, err
	}
	if event["Event_type"] != "Previous_gtids" {
		return false, fmt.Errorf("%s does not begin with what was logged before it", log)
	}
	var applied bool
	err = other.QueryRowContext(ctx, "SELECT GTID_SUBSET(?, @@GLOBAL.gtid_executed)", event["Info"]).Scan(&applied)
	return applied, err
}
