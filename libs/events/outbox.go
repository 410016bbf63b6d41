package events

import (
	"context"
	"encoding/json"
	"fmt"
)

// Append writes the event into the outbox. It is published once the transaction is committed.
func Append(ctx context.Context, tx Tx, event Event) error {
	content, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (event_id, subject, content, created_at) VALUES (?, ?, ?, ?)",
		event.ID, natsSubject(event.Type), string(content), event.Time)
	if err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	return nil
}
