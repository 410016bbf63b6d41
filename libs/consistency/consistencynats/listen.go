package consistencynats

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/consistency"
)

// Listen notes in memory what services publish, until ctx ends. It does not fail while NATS is away.
func Listen(ctx context.Context, conn *nats.Conn, memory *consistency.Memory, log *slog.Logger) error {
	subscription, err := conn.Subscribe(consistency.SubjectWritten, func(message *nats.Msg) {
		var written consistency.Written
		if err := json.Unmarshal(message.Data, &written); err != nil {
			log.Error("published writes", "error", err)
			return
		}
		memory.Note(written)
	})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", consistency.SubjectWritten, err)
	}
	defer func() { _ = subscription.Unsubscribe() }()
	<-ctx.Done()
	return nil
}
