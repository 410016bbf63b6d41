package natsapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
)

// Record stores audit events within a transaction.
type Record func(ctx context.Context, tx mysqlx.Writer, events []audit.Event) error

// NewConsumers returns consumers that store each audit event which the orders service publishes, once. What orders cannot have meant is
// logged and forgotten: no later try would make it right. Events are kept for retention.
//
// The second one reads what the release before publishes, which serves until it is replaced. It may go with the next release.
func NewConsumers(
	db events.Database, conn *nats.Conn, record Record, now func() time.Time, retention time.Duration, log *slog.Logger,
) (consumers []*events.Consumer) {
	for _, subject := range []string{
		events.AuditSubjectOf(orders.Service), events.SubjectOf(orders.Service, orders.EventAudited),
	} {
		consumers = append(consumers, newConsumer(db, conn, subject, record, now, retention, log))
	}
	return consumers
}

func newConsumer(
	db events.Database, conn *nats.Conn, subject string, record Record, now func() time.Time, retention time.Duration, log *slog.Logger,
) *events.Consumer {
	return events.NewConsumer(db, conn, events.ConsumerOptions{
		Durable: accounts.Service,
		Subject: subject,
		Log:     log,
	}, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		told, err := auditEvent(event, now(), retention)
		if err != nil {
			log.ErrorContext(ctx, "an audit event of orders is refused", "event", event.ID, "error", err)
			return nil
		}
		return record(ctx, tx, []audit.Event{told})
	})
}
