package natsapi

import (
	"context"
	"errors"
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

// maxUnknown is how many events that are unknown to this release a consumer has come again. An orders service that was taken over
// may send any number.
const maxUnknown = 1000

// NewConsumers returns consumers that store each audit event which the orders service publishes, once. What orders cannot have meant is
// logged and forgotten: no later try would make it right. What a newer orders may have meant comes again for a day, until this service is
// of the newer release, too. Events are kept for retention, and their streams by so many replicas.
//
// The second one reads what the release before publishes, which serves until it is replaced. It may go with the next release.
func NewConsumers(
	db events.Database, conn *nats.Conn, replicas int, record Record, now func() time.Time, retention time.Duration, log *slog.Logger,
) (consumers []*events.Consumer) {
	for _, subject := range []string{
		events.AuditSubjectOf(orders.Service), events.SubjectOf(orders.Service, orders.EventAudited),
	} {
		options := events.ConsumerOptions{Durable: accounts.Service, Subject: subject, Replicas: replicas, Log: log}
		consumers = append(consumers, events.NewConsumer(db, conn, options, storing(record, now, retention, log)))
	}
	return consumers
}

// storing returns the function of one consumer.
func storing(
	record Record, now func() time.Time, retention time.Duration, log *slog.Logger,
) func(context.Context, mysqlx.Writer, events.Event) error {
	comeAgain := map[string]bool{} // by id
	return func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		told, err := auditEvent(event, now(), retention)
		if errors.Is(err, errUnknown) && (comeAgain[event.ID] || len(comeAgain) < maxUnknown) {
			comeAgain[event.ID] = true
			return err
		}
		if err != nil {
			log.ErrorContext(ctx, "an audit event of orders is refused", "event", event.ID, "error", err)
			return nil
		}
		return record(ctx, tx, []audit.Event{told})
	}
}
