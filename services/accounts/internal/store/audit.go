package store

import (
	"context"
	"slices"

	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/audit"
	"oms.internal/libs/mysqlx"
)

// RecordEvents stores events on their own.
func (s *Store) RecordEvents(ctx context.Context, events []audit.Event) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		return insertEvents(ctx, queries, events)
	})
}

// RecordEventsWithin stores events within a transaction of the caller's.
func RecordEventsWithin(ctx context.Context, tx mysqlx.Writer, events []audit.Event) error {
	return insertEvents(ctx, sqlcgen.New(tx), events)
}

// insertEvents stores events within the transaction of what they tell.
func insertEvents(ctx context.Context, queries *sqlcgen.Queries, events []audit.Event) error {
	for _, event := range events {
		err := queries.InsertAuditEvent(ctx, sqlcgen.InsertAuditEventParams{
			At: event.At, Action: string(event.Action), Actor: event.Actor, Subject: event.Subject, Address: event.Address,
			Outcome: string(event.Outcome), RequestID: event.RequestID, Detail: event.Detail,
			Occurrences: uint32(max(1, event.Count)),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// about returns copies of events whose subject is the member.
func about(memberID uint64, events []audit.Event) []audit.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].Subject = memberID
	}
	return events
}

func toEvent(row sqlcgen.AuditEvent) audit.Event {
	return audit.Event{
		ID: row.ID, At: row.At, Action: audit.Action(row.Action), Actor: row.Actor, Subject: row.Subject, Address: row.Address,
		Outcome: audit.Outcome(row.Outcome), RequestID: row.RequestID, Detail: row.Detail,
		Count: int(row.Occurrences),
	}
}
