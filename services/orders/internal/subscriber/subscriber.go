// Package subscriber is what the orders service learns from the events of others.
package subscriber

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/store"
)

// New returns a consumer that learns of deleted members, for whom there are no new orders from then on.
func New(cluster *mysqlx.Cluster, conn *nats.Conn, log *slog.Logger) *events.Consumer {
	return events.NewConsumer(cluster, conn, events.ConsumerOptions{
		Durable: orders.Service,
		Subject: events.SubjectOf(accounts.Service, accounts.EventDeleted),
		Log:     log,
	}, learn)
}

func learn(ctx context.Context, writer mysqlx.Writer, event events.Event) error {
	var data accounts.EventData
	if err := event.Decode(&data); err != nil {
		return err
	}
	return store.AddFormerCustomer(ctx, writer, data.MemberID, event.Time)
}
