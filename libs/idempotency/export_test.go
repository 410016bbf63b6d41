package idempotency

import "context"

// CleanBy is Clean in batches of this size.
func (c *Cleaner) CleanBy(ctx context.Context, batch int) error { return c.clean(ctx, batch) }
