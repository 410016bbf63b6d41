package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// Timeline returns the steps of an order and whose it is, in two statements.
func (s *Store) Timeline(ctx context.Context, id uint64) (steps []order.Step, customerID uint64, err error) {
	err = s.readThrough(ctx, func(ctx context.Context, queries *sqlcgen.Queries) error {
		row, err := queries.GetOrder(ctx, id)
		gone := errors.Is(err, sql.ErrNoRows)
		if err != nil && !gone {
			return err
		}
		rows, err := queries.ListTimeline(ctx, sqlcgen.ListTimelineParams{OrderID: id, Limit: order.MaxTimeline})
		if err != nil {
			return err
		}
		if steps, err = toSteps(rows); err != nil {
			return err
		}
		customerID = row.CustomerID
		if !gone {
			return nil
		}
		// On a replica the order and the end of its timeline may be missing alike.
		if len(steps) == 0 || steps[len(steps)-1].To != order.Deleted {
			return notFound(sql.ErrNoRows)
		}
		customerID = steps[len(steps)-1].CustomerID
		return nil
	})
	return steps, customerID, err
}

// toSteps turns rows, latest first, into steps, oldest first.
func toSteps(rows []sqlcgen.OrderTimeline) ([]order.Step, error) {
	steps := make([]order.Step, 0, len(rows))
	for _, row := range slices.Backward(rows) {
		step := order.Step{
			ID: row.ID, At: row.At, ActorID: row.ActorID, CustomerID: row.CustomerID,
			From: order.State(row.FromState.String), To: order.State(row.ToState), Note: row.Note, Redacted: row.RedactedBy.Valid,
		}
		if row.Changes.Valid {
			var changes []fieldChange
			if err := json.Unmarshal([]byte(row.Changes.String), &changes); err != nil {
				return nil, fmt.Errorf("changes of step %d: %w", row.ID, err)
			}
			for _, change := range changes {
				step.Changes = append(step.Changes, order.FieldChange(change))
			}
		}
		steps = append(steps, step)
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

// ForgetCustomer notes that a member was deleted, and then removes all notes about it. From the first moment there are no new
// orders for it and no new notes about it, and those that were being written are there when it looks. It may be done again at
// any time.
func (s *Store) ForgetCustomer(ctx context.Context, customerID uint64, deletedAt time.Time) error {
	write := func(ctx context.Context, work func(*sqlcgen.Queries) error) error {
		return s.cluster.Write(ctx, func(_ context.Context, writer mysqlx.Writer) error { return work(sqlcgen.New(writer)) })
	}
	err := write(ctx, func(queries *sqlcgen.Queries) error {
		return queries.InsertFormerCustomer(ctx, sqlcgen.InsertFormerCustomerParams{CustomerID: customerID, DeletedAt: deletedAt})
	})
	if err != nil {
		return err
	}
	return redactNotes(ctx, []uint64{customerID}, write)
}

// redactBatch is how many notes are removed at once.
const redactBatch = 500

// redactNotes removes the notes about customers, in as many writes as it takes.
func redactNotes(ctx context.Context, customers []uint64,
	write func(context.Context, func(*sqlcgen.Queries) error) error,
) error {
	for {
		var ids []uint64
		err := write(ctx, func(queries *sqlcgen.Queries) (err error) {
			ids, err = queries.ListNotesOfCustomers(ctx, sqlcgen.ListNotesOfCustomersParams{CustomerIds: customers, Limit: redactBatch})
			if err != nil || len(ids) == 0 {
				return err
			}
			return queries.RedactNotes(ctx, ids)
		})
		if err != nil || len(ids) < redactBatch {
			return err
		}
	}
}
