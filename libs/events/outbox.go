package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"oms.internal/libs/mysqlx"
)

// Append writes the event into the outbox. It is published once the transaction is committed.
func Append(ctx context.Context, tx mysqlx.Writer, event Event) error {
	content, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (event_id, subject, content, created_at) VALUES (?, ?, ?, ?)",
		event.ID, natsSubject(event.Type), string(content), event.Time)
	if err != nil {
		return fmt.Errorf("append event: %w", err)
	}
	return nil
}

// stored is an event in the outbox.
type stored struct {
	id      uint64
	eventID string
	subject string
	content []byte
}

// claimSeconds is how long a claim may lie idle. A relay that hangs, or whose machine is gone, would otherwise keep its
// rows for as long as its connection seems to stand.
const claimSeconds = 5

// claim locks those of the rows that wait to be published and that no other relay has.
//
// The rows are named by their ids, and were found outside of the transaction: a locking read along published_at would
// lock the gap into which all others insert, and have every order wait for the relay. FORCE INDEX keeps the optimizer
// from reading, and locking, all of a small table instead.
func claim(ctx context.Context, tx mysqlx.Writer, ids []uint64) (claimed []stored, err error) {
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", claimSeconds)); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, event_id, subject, content FROM outbox FORCE INDEX (PRIMARY) "+
		"WHERE id IN ("+marks(ids)+") AND published_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED", arguments(ids)...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var row stored
		if err := rows.Scan(&row.id, &row.eventID, &row.subject, &row.content); err != nil {
			return nil, err
		}
		claimed = append(claimed, row)
	}
	return claimed, rows.Err()
}

// release notes which of the claimed rows were published, and leaves the connection as it was.
func release(ctx context.Context, tx mysqlx.Writer, published []uint64, at time.Time) error {
	if len(published) > 0 {
		_, err := tx.ExecContext(ctx, "UPDATE outbox FORCE INDEX (PRIMARY) SET published_at = ? WHERE id IN ("+marks(published)+")",
			append([]any{at.UTC()}, arguments(published)...)...)
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "SET SESSION wait_timeout = DEFAULT")
	return err
}

// look is what a look at the outbox has found.
type look struct {
	ids  map[string][]uint64 // of the events, by stream
	last uint64              // the last of them, 0 if no more wait behind it
}

// pending finds the oldest events that wait to be published after one of them, those that a relay has claimed included. FORCE INDEX keeps the
// optimizer from reading what was published in the last day.
func pending(ctx context.Context, db Database, after uint64, most int) (found look, err error) {
	err = db.Poll(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		found = look{ids: map[string][]uint64{}}
		rows, err := reader.QueryContext(ctx, "SELECT id, subject FROM outbox FORCE INDEX (outbox_published) "+
			"WHERE published_at IS NULL AND id > ? ORDER BY id LIMIT ?", after, most)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		number, row := 0, stored{}
		for ; rows.Next(); number++ {
			if err := rows.Scan(&row.id, &row.subject); err != nil {
				return err
			}
			stream := streamOf(row.subject)
			found.ids[stream] = append(found.ids[stream], row.id)
		}
		if number == most {
			found.last = row.id
		}
		return rows.Err()
	})
	return found, err
}

const cleanBatch = 500

// cleanOutbox deletes what was published before a time.
func cleanOutbox(ctx context.Context, db Database, before time.Time) error {
	return cleanTable(ctx, func() ([]uint64, error) {
		return column[uint64](ctx, db, "SELECT id FROM outbox WHERE published_at < ? ORDER BY published_at LIMIT ?", before.UTC(), cleanBatch)
	}, func(ids []uint64) error {
		return execute(ctx, db, "DELETE outbox FROM outbox FORCE INDEX (PRIMARY) WHERE id IN ("+marks(ids)+")", arguments(ids)...)
	})
}

// cleanTable finds and deletes rows batch by batch. What is found is deleted by its primary key, so that no gap is locked
// into which others insert.
func cleanTable[K any](ctx context.Context, find func() ([]K, error), remove func([]K) error) error {
	for ctx.Err() == nil {
		found, err := find()
		if err != nil {
			return err
		}
		if len(found) > 0 {
			if err := remove(found); err != nil {
				return err
			}
		}
		if len(found) < cleanBatch {
			break
		}
	}
	return nil
}

func execute(ctx context.Context, db Database, query string, args ...any) error {
	return db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// column reads the only column of a query, as the primary has it.
func column[T any](ctx context.Context, db Database, query string, args ...any) (values []T, err error) {
	err = db.Poll(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		values = nil
		rows, err := reader.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var value T
			if err := rows.Scan(&value); err != nil {
				return err
			}
			values = append(values, value)
		}
		return rows.Err()
	})
	return values, err
}

func marks[T any](values []T) string {
	return strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
}

func arguments[T any](values []T) []any {
	all := make([]any, len(values))
	for i, value := range values {
		all[i] = value
	}
	return all
}
