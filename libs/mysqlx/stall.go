package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A server that answers may commit nothing all the same. When the disk of its binary log is full, either engine lets every commit wait,
// and looks once a minute whether there is space. The waiting threads stay on the server even if their clients have left.
// So a process must notice this by itself, and must not send more and more writes until the server takes no more connections.

// stallPatience is how long the primary may commit no heartbeat before nothing is written to it: 5 s with the default of Config.Patience.
// That is longer than a request may take, so no request is refused that could have been done in time. It is never as short as the time
// after which this process sees a new beat while it rests: the beat is due after idleBeat, and written and seen up to restInterval later.
func (c *Cluster) stallPatience() time.Duration {
	return max(c.patience*5/2, idleBeat+4*restInterval)
}

// writable returns the primary, unless it commits nothing.
func (c *Cluster) writable() (*host, error) {
	found, err := c.primary()
	if err != nil {
		return nil, err
	}
	if stalled := c.stalled.Load(); stalled != nil {
		return nil, *stalled
	}
	return found, nil
}

// noteStall judges by the heartbeats whether the primary commits. leads is since when this process has known it as the primary. A primary
// that refuses heartbeats answers writes by itself, so it is not stalled.
func (c *Cluster) noteStall(primary *host, leads, now time.Time) {
	last := c.beats.newest().at
	if last.Before(leads) {
		last = leads
	}
	isStalled := now.Sub(last) >= c.stallPatience() && c.beatRefused.Load() == nil
	switch wasStalled := c.stalled.Load() != nil; {
	case isStalled && !wasStalled:
		err := fmt.Errorf("%s answers, but has committed nothing since %s; if its disk is full, it goes on within a minute once there is space",
			primary.addr, last.UTC().Format(time.RFC3339))
		c.stalled.Store(&err)
		c.log.Error("nothing is written to the primary, because it commits nothing", "host", primary.addr, "error", err)
	case wasStalled && !isStalled:
		c.stalled.Store(nil)
		c.log.Info("the primary is written to again", "host", primary.addr)
	}
}

// hangs reports whether a heartbeat of this or another process waits on the server. Another one would only wait beside it.
func (c *Cluster) hangs(ctx context.Context, host *host) bool {
	ctx, cancel := context.WithTimeout(ctx, c.lookTimeout())
	defer cancel()
	running, err := processList(ctx, host.looks)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(running, func(statement string) bool { return strings.HasPrefix(statement, beatStart) })
}

// processList returns the statements that this process's user has running. The table information_schema.processlist would need a
// temporary file for them, which a full disk has no room for.
func processList(ctx context.Context, db *sql.DB) (statements []string, err error) {
	rows, err := db.QueryContext(ctx, "SHOW PROCESSLIST")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(sql.NullString)
	}
	statement := slices.Index(columns, "Info")
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return nil, err
		}
		statements = append(statements, values[statement].(*sql.NullString).String)
	}
	return statements, rows.Err()
}
