package store

import (
	"context"
	"strconv"

	"oms.internal/libs/audit"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
)

// appendEvent puts the fact into the outbox, as other services and systems read it, in the transaction that makes it true.
func appendEvent(ctx context.Context, tx transaction, fact order.Fact) error {
	subject := strconv.FormatUint(fact.Order.ID, 10)
	event, err := events.New(orders.Service, fact.Event, subject, fact.At, orders.EventData{
		Order: fact.Order.Contract(), Version: fact.Order.Version, FromState: string(fact.From), ActorID: fact.ActorID,
	})
	if err != nil {
		return err
	}
	return events.Append(ctx, tx.writer, event)
}

// RecordEvents puts audit events into the outbox, from where accounts gets them.
func (s *Store) RecordEvents(ctx context.Context, recorded []audit.Event) error {
	return s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		for _, one := range recorded {
			event, err := events.NewAudit(orders.Service, one.At, orders.AuditData{
				Action: string(one.Action), Actor: one.Actor, Subject: one.Subject, Address: one.Address,
				Outcome: string(one.Outcome), RequestID: one.RequestID, Detail: one.Detail, Count: one.Count,
			})
			if err != nil {
				return err
			}
			if err := events.Append(ctx, writer, event); err != nil {
				return err
			}
		}
		return nil
	})
}
