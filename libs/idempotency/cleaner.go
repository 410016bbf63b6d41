package idempotency

import (
	"context"
	"errors"
	"time"

	"oms.internal/libs/mysqlx"
)

// Kept is how long a request is recognised when it is sent again.
const Kept = 24 * time.Hour

const cleanBatch = 1000

// CleanerDatabase is what a Cleaner needs of mysqlx.Cluster.
type CleanerDatabase interface {
	Poll(ctx context.Context, read func(context.Context, mysqlx.Reader) error) error
	Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error
}

// Cleaner deletes keys that are older than Kept. Any number of cleaners may work on one table.
type Cleaner struct {
	db  CleanerDatabase
	now func() time.Time
}

// NewCleaner returns a cleaner with a clock.
func NewCleaner(db CleanerDatabase, now func() time.Time) *Cleaner {
	return &Cleaner{db: db, now: now}
}

// Clean deletes all old keys, in transactions of at most 1,000. It writes only where there are some, so that it ends no rest of the cluster
// in vain.
func (c *Cleaner) Clean(ctx context.Context) error { return c.clean(ctx, cleanBatch) }

func (c *Cleaner) clean(ctx context.Context, batch int) error {
	for {
		old, err := c.oldest(ctx, batch)
		if err == nil && len(old) > 0 {
			err = c.db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error { return remove(ctx, tx, old) })
		}
		if err != nil || len(old) < batch {
			return err
		}
	}
}

// remove deletes keys, until it finds that another process deletes them: looking for rows that are gone locks the gaps where they were, and
// new keys with them.
func remove(ctx context.Context, tx mysqlx.Writer, keys []storedKey) error {
	for _, key := range keys {
		// By its primary key, which locks the row alone. A range of times would also lock the gap at its end, where the
		// keys of present requests are inserted.
		result, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE caller_id = ? AND key_digest = ?",
			key.callerID, key.digest)
		if err != nil {
			return err
		}
		deleted, err := result.RowsAffected()
		if err != nil || deleted == 0 {
			return err
		}
	}
	return nil
}

type storedKey struct {
	callerID uint64
	digest   []byte
}

// oldest returns the oldest keys that are due.
func (c *Cleaner) oldest(ctx context.Context, most int) (keys []storedKey, err error) {
	err = c.db.Poll(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		keys = nil
		rows, err := reader.QueryContext(ctx,
			"SELECT caller_id, key_digest FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?", c.now().Add(-Kept).UTC(), most)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var key storedKey
			if err := rows.Scan(&key.callerID, &key.digest); err != nil {
				return err
			}
			keys = append(keys, key)
		}
		return rows.Err()
	})
	return keys, err
}
