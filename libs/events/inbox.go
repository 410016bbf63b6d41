package events

import (
	"context"
	"time"

	"oms.internal/libs/mysqlx"
)

// remember notes in the transaction that the consumer handles the event, and reports whether it had not before. Another
// transaction that handles the same event is waited for.
func remember(ctx context.Context, tx mysqlx.Writer, consumer, eventID string, at time.Time) (isNew bool, err error) {
	result, err := tx.ExecContext(ctx, "INSERT IGNORE INTO inbox (consumer, event_id, handled_at) VALUES (?, ?, ?)",
		consumer, eventID, at.UTC())
	if err != nil {
		return false, err
	}
	inserted, err := result.RowsAffected()
	return inserted == 1, err
}

// cleanInbox deletes what the consumer handled before a time.
func cleanInbox(ctx context.Context, db Database, consumer string, before time.Time) error {
	return cleanTable(ctx, func() ([]string, error) {
		return column[string](ctx, db, "SELECT event_id FROM inbox WHERE handled_at < ? AND consumer = ? ORDER BY handled_at LIMIT ?",
			before.UTC(), consumer, cleanBatch)
	}, func(ids []string) error {
		return execute(ctx, db, "DELETE inbox FROM inbox FORCE INDEX (PRIMARY) WHERE consumer = ? AND event_id IN ("+marks(ids)+")",
			append([]any{consumer}, arguments(ids)...)...)
	})
}
