package idempotency

import (
	"context"
	"time"

	"oms.internal/libs/mysqlx"
)

// DeleteOldest is one batch of a cleaner.
func DeleteOldest(ctx context.Context, tx mysqlx.Writer, before time.Time, most int) (int, error) {
	return deleteOldest(ctx, tx, before, most)
}

// Clean is one round of a cleaner, in batches of this size.
func (c *Cleaner) Clean(ctx context.Context, batch int) error { return c.clean(ctx, batch) }
