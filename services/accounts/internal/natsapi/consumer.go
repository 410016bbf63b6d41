package natsapi

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/nats-io/nats.go"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
)

// ofOrders are the actions that the orders service tells of. It cannot make up a login.
var ofOrders = []audit.Action{audit.OrderRead, audit.OrderList, audit.OrderExport, audit.AccessDenied}

// Record stores audit events within a transaction.
type Record func(ctx context.Context, tx mysqlx.Writer, events []audit.Event) error

// NewConsumer returns a consumer that stores each audit event which the orders service publishes, once.
func NewConsumer(db events.Database, conn *nats.Conn, record Record, log *slog.Logger) *events.Consumer {
	return events.NewConsumer(db, conn, events.ConsumerOptions{
		Durable: accounts.Service,
		Subject: events.SubjectOf(orders.Service, orders.EventAudited),
		Log:     log,
	}, func(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
		var data orders.AuditData
		if err := event.Decode(&data); err != nil {
			return err
		}
		if !slices.Contains(ofOrders, audit.Action(data.Action)) {
			return fmt.Errorf("the action %q is not one of orders", data.Action)
		}
		return record(ctx, tx, []audit.Event{{
			At: event.Time, Action: audit.Action(data.Action), Actor: data.Actor, Subject: data.Subject, Address: data.Address,
			Outcome: audit.Outcome(data.Outcome), RequestID: data.RequestID, Detail: data.Detail, Count: data.Count,
		}})
	})
}
