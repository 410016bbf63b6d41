package natsapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
)

// ForgetCustomer notes that a member was deleted, and removes the notes about it. Done again, it changes nothing: it has
// transactions of its own, which end before the consumer's does.
type ForgetCustomer func(ctx context.Context, customerID uint64, deletedAt time.Time) error

// NewConsumer returns a consumer that notes each member whose deletion the accounts service publishes. So many replicas keep the stream.
func NewConsumer(cluster *mysqlx.Cluster, conn *nats.Conn, replicas int, forget ForgetCustomer, log *slog.Logger) *events.Consumer {
	return events.NewConsumer(cluster, conn, events.ConsumerOptions{
		Durable:  orders.Service,
		Subject:  events.SubjectOf(accounts.Service, accounts.EventDeleted),
		Replicas: replicas,
		Log:      log,
	}, func(ctx context.Context, _ mysqlx.Writer, event events.Event) error {
		var data accounts.EventData
		if err := event.Decode(&data); err != nil {
			return err
		}
		return forget(ctx, data.MemberID, event.Time)
	})
}
