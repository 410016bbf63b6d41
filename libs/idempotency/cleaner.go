package idempotency

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"oms.internal/libs/mysqlx"
	"oms.internal/libs/pace"
)

// Kept is how long a request is recognised when it is sent again.
const Kept = 24 * time.Hour

const (
	cleanInterval = time.Minute
	cleanBatch    = 1000
)

// Cleaner deletes keys that are older than Kept. Any number of cleaners may work on one table.
type Cleaner struct {
	db  Database
	log *slog.Logger
	now func() time.Time
}

// NewCleaner returns a cleaner that is not running yet, with a clock.
func NewCleaner(db Database, log *slog.Logger, now func() time.Time) *Cleaner {
	return &Cleaner{db: db, log: log, now: now}
}

// Run deletes old keys every minute, in transactions of at most 1,000 keys, until ctx ends. Whatever fails, it goes on.
func (c *Cleaner) Run(ctx context.Context) error {
	pace.Every(ctx, cleanInterval, func() {
		if err := c.clean(ctx, cleanBatch); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "old idempotency keys not deleted", "error", err)
		}
	})
	return nil
}

// clean deletes all old keys, batch by batch.
func (c *Cleaner) clean(ctx context.Context, batch int) error {
	for {
		var deleted int
		err := c.db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) (err error) {
			deleted, err = deleteOldest(ctx, tx, c.now().Add(-Kept), batch)
			return err
		})
		if err != nil || deleted < batch {
			return err
		}
	}
}

// deleteOldest deletes keys that were claimed before a time, the oldest first and at most so many, and returns how many it
// deleted: fewer where no more are left, or where another process cleans at the same moment.
func deleteOldest(ctx context.Context, tx mysqlx.Writer, before time.Time, most int) (deleted int, err error) {
	old, err := oldest(ctx, tx, before, most)
	if err != nil {
		return 0, err
	}
	for _, key := range old {
		// By its primary key, which locks the row alone. A range of times would also lock the gap at its end, where the
		// keys of present requests are inserted.
		result, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE caller_id = ? AND key_digest = ?",
			key.callerID, key.digest)
		if err != nil {
			return 0, err
		}
		count, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		if count == 0 {
			// Another process deletes them. Looking for rows that are gone locks the gaps where they were, and new keys
			// with them.
			break
		}
		deleted++
	}
	return deleted, nil
}

type storedKey struct {
	callerID uint64
	digest   []byte
}

func oldest(ctx context.Context, tx mysqlx.Writer, before time.Time, most int) (keys []storedKey, err error) {
	rows, err := tx.QueryContext(ctx,
		"SELECT caller_id, key_digest FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?", before.UTC(), most)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var key storedKey
		if err := rows.Scan(&key.callerID, &key.digest); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}
