package listsql

import (
	"context"
	"fmt"
	"time"

	"oms.internal/libs/listing"
	"oms.internal/libs/mysqlx"
)

const cleanBatch = 1000

// Move is an entry of Remembered.Moves.
type Move struct {
	// Row is the id of the row.
	Row uint64
	// Scope is the value of Remembered.Scope that Gained is about, 0 where there is no such field.
	Scope uint64
	// Gained is -1 where there is one row less, and 1 where there is one more.
	Gained int
}

// Note writes entries of a table's Remembered.Moves, in the transaction that removes the rows or changes them. Their time is the primary's,
// as that of its heartbeats is.
func Note(ctx context.Context, tx mysqlx.Writer, table *Table, moves ...Move) error {
	remembered := table.Remembered
	columns := remembered.Moves.column(rowField).Name + ", gained, " + remembered.Moves.column(atField).Name
	if remembered.Scope != "" {
		columns += ", " + remembered.Moves.column(remembered.Scope).Name
	}
	statement := &clause{}
	statement.add("INSERT INTO " + remembered.Moves.Name + " (" + columns + ") VALUES ")
	for i, move := range moves {
		if i > 0 {
			statement.add(", ")
		}
		statement.add("(?, ?, UTC_TIMESTAMP(6)", move.Row, move.Gained)
		if remembered.Scope != "" {
			statement.add(", ?", move.Scope)
		}
		statement.add(")")
	}
	if _, err := tx.ExecContext(ctx, statement.text.String(), statement.args...); err != nil {
		return fmt.Errorf("note in %s: %w", remembered.Moves.Name, err)
	}
	return nil
}

// Database is what a Cleaner needs of mysqlx.Cluster.
type Database interface {
	Poll(ctx context.Context, read func(context.Context, mysqlx.Reader) error) error
	Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error
}

// Cleaner deletes entries of a table's Remembered.Moves that are older than MovesKept. Any number of cleaners may work on one table.
type Cleaner struct {
	moves *Table
	db    Database
	now   func() time.Time
}

// NewCleaner returns a cleaner with a clock.
func NewCleaner(table *Table, db Database, now func() time.Time) *Cleaner {
	return &Cleaner{moves: table.Remembered.Moves, db: db, now: now}
}

// Clean deletes all old entries, in transactions of at most 1,000. It writes only where there are some, so that it ends no rest of the
// cluster in vain.
func (c *Cleaner) Clean(ctx context.Context) error {
	for {
		old, err := c.oldest(ctx)
		if err == nil && len(old) > 0 {
			err = c.db.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error { return c.remove(ctx, tx, old) })
		}
		if err != nil || len(old) < cleanBatch {
			return err
		}
	}
}

// oldest returns the ids of the oldest entries that are due.
func (c *Cleaner) oldest(ctx context.Context) (ids []uint64, err error) {
	plan, err := c.moves.Plan(
		listing.Request{Limit: cleanBatch, Ordering: []listing.Key{{Field: atField}}}, Below(atField, c.now().Add(-MovesKept).UTC()))
	if err != nil {
		return nil, err
	}
	err = c.db.Poll(ctx, func(ctx context.Context, reader mysqlx.Reader) (err error) {
		ids, err = IDs(ctx, reader, plan)
		return err
	})
	return ids, err
}

// remove deletes entries by their ids, one by one, which locks these rows alone. A range would also lock the gap at its end, where the entries
// of present writes are inserted, and so would a list of ids, for which MariaDB reads the whole of a small table.
func (c *Cleaner) remove(ctx context.Context, tx mysqlx.Writer, ids []uint64) error {
	for _, id := range ids {
		result, err := tx.ExecContext(ctx, "DELETE FROM "+c.moves.Name+" WHERE id = ?", id)
		if err != nil {
			return fmt.Errorf("delete from %s: %w", c.moves.Name, err)
		}
		deleted, err := result.RowsAffected()
		if err != nil || deleted == 0 {
			return err // another process deletes them; to look for rows that are gone locks gaps, too
		}
	}
	return nil
}
