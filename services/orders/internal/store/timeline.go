package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"oms.internal/libs/listing"
	"oms.internal/libs/listing/listsql"
	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Steps is where timelines are read.
var Steps = &listsql.Table{
	Name:    "order_timeline",
	Columns: map[string]listsql.Column{"order": {Name: "order_id", Kind: listsql.Number}},
	Indexes: []listsql.Index{{Name: "order_timeline_order", Fields: []string{"order"}}},
}

// Timeline returns a page of the steps of an order and whose it is, in at most four statements.
func (s *Store) Timeline(ctx context.Context, id uint64, request listing.Request) (page listing.Rows[order.Step], customerID uint64, err error) {
	plan, err := Steps.Plan(request.Only("order", id))
	if err != nil {
		return page, 0, err
	}
	err = s.cluster.ReadThrough(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		queries := sqlcgen.New(reader)
		if customerID, err = ownerOf(ctx, queries, id); err != nil {
			return notFound(err)
		}
		page, err = listsql.Read(ctx, reader, plan, func(ctx context.Context, ids []uint64) ([]order.Step, error) {
			rows, err := queries.ListTimelineEntriesByIDs(ctx, ids)
			if err != nil {
				return nil, err
			}
			return toSteps(rows)
		}, func(step order.Step) (uint64, order.Step) { return step.ID, step })
		return err
	})
	return page, customerID, err
}

// ownerOf returns whose an order is or, once it is deleted, was. On a replica the order and the end of its timeline may be
// missing alike: that is sql.ErrNoRows, too.
func ownerOf(ctx context.Context, queries *sqlcgen.Queries, id uint64) (customerID uint64, err error) {
	found, err := queries.GetOrder(ctx, id)
	if !errors.Is(err, sql.ErrNoRows) {
		return found.CustomerID, err
	}
	last, err := queries.GetLastTimelineEntry(ctx, id)
	if err == nil && last.ToState != string(order.Deleted) {
		err = sql.ErrNoRows
	}
	return last.CustomerID, err
}

func toSteps(rows []sqlcgen.OrderTimeline) ([]order.Step, error) {
	steps := make([]order.Step, len(rows))
	for i, row := range rows {
		steps[i] = order.Step{
			ID: row.ID, At: row.At, ActorID: row.ActorID, CustomerID: row.CustomerID,
			From: order.State(row.FromState.String), To: order.State(row.ToState), Note: row.Note, Redacted: row.RedactedBy.Valid,
		}
		if !row.Changes.Valid {
			continue
		}
		var changes []fieldChange
		if err := json.Unmarshal([]byte(row.Changes.String), &changes); err != nil {
			return nil, fmt.Errorf("changes of step %d: %w", row.ID, err)
		}
		for _, change := range changes {
			steps[i].Changes = append(steps[i].Changes, order.FieldChange(change))
		}
	}
	return steps, nil
}

// fieldChange is how an order.FieldChange is stored.
type fieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

func appendStep(ctx context.Context, tx transaction, orderID uint64, step order.Step) error {
	var changes sql.NullString
	if len(step.Changes) > 0 {
		stored := make([]fieldChange, len(step.Changes))
		for i, change := range step.Changes {
			stored[i] = fieldChange(change)
		}
		encoded, err := json.Marshal(stored)
		if err != nil {
			return err
		}
		changes = sql.NullString{String: string(encoded), Valid: true}
	}
	return tx.InsertTimelineEntry(ctx, sqlcgen.InsertTimelineEntryParams{
		OrderID: orderID, CustomerID: step.CustomerID, At: step.At, ActorID: step.ActorID,
		FromState: sql.NullString{String: string(step.From), Valid: step.From != ""},
		ToState:   string(step.To), Note: step.Note, Changes: changes,
	})
}

// RedactNote removes the note of a step. One that is removed already, or was never there, stays so.
func (s *Store) RedactNote(ctx context.Context, orderID, stepID, adminID uint64) (customerID uint64, err error) {
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		queries := sqlcgen.New(writer)
		row, err := queries.GetTimelineEntryForUpdate(ctx, sqlcgen.GetTimelineEntryForUpdateParams{ID: stepID, OrderID: orderID})
		if err != nil {
			return notFound(err)
		}
		if customerID = row.CustomerID; row.Note == "" {
			return nil
		}
		return queries.RedactNote(ctx, sqlcgen.RedactNoteParams{ID: stepID, RedactedBy: sql.NullInt64{Int64: int64(adminID), Valid: true}})
	})
	return customerID, err
}

// ForgetCustomer notes that a member was deleted, and then removes all notes about it. Once the deletion is noted, no new note about
// the member is accepted. A note being written then is committed before the notes are read, so it is removed, too. It may be done again
// at any time.
func (s *Store) ForgetCustomer(ctx context.Context, customerID uint64, deletedAt time.Time) error {
	write := func(work func(*sqlcgen.Queries) error) error {
		return s.cluster.Write(ctx, func(_ context.Context, writer mysqlx.Writer) error { return work(sqlcgen.New(writer)) })
	}
	err := write(func(queries *sqlcgen.Queries) error {
		return queries.InsertFormerCustomer(ctx, sqlcgen.InsertFormerCustomerParams{CustomerID: customerID, DeletedAt: deletedAt})
	})
	for removed := redactBatch; err == nil && removed == redactBatch; {
		err = write(func(queries *sqlcgen.Queries) error {
			ids, err := queries.ListNotesOfCustomer(ctx, sqlcgen.ListNotesOfCustomerParams{CustomerID: customerID, Limit: redactBatch})
			if removed = len(ids); err != nil || removed == 0 {
				return err
			}
			return queries.RedactNotes(ctx, ids)
		})
	}
	return err
}

// redactBatch is how many notes are removed at once.
const redactBatch = 500
