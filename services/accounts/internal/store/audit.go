package store

import (
	"context"
	"database/sql"
	"slices"

	"oms.internal/accounts/internal/audit"
	"oms.internal/accounts/internal/store/sqlcgen"
	"oms.internal/libs/listing"
)

// RecordEvent stores one event on its own.
func (s *Store) RecordEvent(ctx context.Context, event audit.Event) error {
	return s.write(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		return insertEvents(ctx, queries, []audit.Event{event})
	})
}

// insertEvents stores events within the transaction of what they tell.
func insertEvents(ctx context.Context, queries *sqlcgen.Queries, events []audit.Event) error {
	for _, event := range events {
		err := queries.InsertAuditEvent(ctx, sqlcgen.InsertAuditEventParams{
			At: event.At, Action: string(event.Action), Actor: event.Actor, Subject: event.Subject, Address: event.Address,
			Outcome: string(event.Outcome), RequestID: event.RequestID, Detail: event.Detail,
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

// AuditEvents returns one page in at most three statements, as Members does.
func (s *Store) AuditEvents(ctx context.Context, query audit.Query) ([]audit.Event, int, error) {
	var events []audit.Event
	var count int
	err := s.readLatest(ctx, func(ctx context.Context, queries *sqlcgen.Queries) (err error) {
		list, total := planEvents(query)
		events, count, err = listing.Statements[*sqlcgen.Queries, sqlcgen.AuditEvent, audit.Event]{
			IDs: list, Count: total, Rows: queries.ListAuditEventsByIDs,
			Value: func(row sqlcgen.AuditEvent) (uint64, audit.Event) { return row.ID, toEvent(row) },
		}.Read(ctx, queries, query.Request)
		return err
	})
	return events, count, err
}

func toEvent(row sqlcgen.AuditEvent) audit.Event {
	return audit.Event{
		ID: row.ID, At: row.At, Action: audit.Action(row.Action), Actor: row.Actor, Subject: row.Subject, Address: row.Address,
		Outcome: audit.Outcome(row.Outcome), RequestID: row.RequestID, Detail: row.Detail,
	}
}

func toNullID(id *uint64) sql.NullInt64 {
	if id == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: int64(*id), Valid: true}
}
