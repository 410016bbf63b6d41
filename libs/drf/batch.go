package drf

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"oms.internal/libs/mysqlx"
)

// ErrDry ends the transaction of a dry run.
var ErrDry = errors.New("nothing is to be changed")

// Row is a row of the source that differs from what was taken of it, as what it is here.
type Row[T any] struct {
	Kind Kind
	ID   uint64
	// Value is empty where the row is gone.
	Value  T
	Source Digest
	// Problem is why it cannot be taken, "" if it can.
	Problem string
}

// Batch is the work on some rows in one transaction.
type Batch struct {
	Dry bool
	// Taken is what was taken of the rows before, by their ids.
	Taken  map[uint64]Taken
	Result Result
}

// Refuse names a row that is not taken. passing is Refusal.Passing.
func (b *Batch) Refuse(id uint64, passing bool, reason string, args ...any) {
	b.Result.Refused = append(b.Result.Refused, Refusal{
		Key: strconv.FormatUint(id, 10), Reason: fmt.Sprintf(reason, args...), Passing: passing,
	})
}

// Taker does what is to be done with rows in our table.
type Taker[T any] interface {
	// Find looks for what is here of the rows, once it is known which were taken before.
	Find(ctx context.Context, rows []Row[T]) error
	// Changed and Gone bring what became of a row that was taken before, and Fresh takes rows that were not.
	Changed(ctx context.Context, row Row[T], taken Taken) error
	Gone(ctx context.Context, taken Taken) error
	Fresh(ctx context.Context, rows []Row[T]) error
}

// Sort gives each row to the taker by how it differs. What was done before is left out, so a batch may be given again.
func Sort[T any](ctx context.Context, tx mysqlx.Writer, batch *Batch, rows []Row[T], to Taker[T]) (err error) {
	ids := make([]uint64, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	if batch.Taken, err = FindTaken(ctx, tx, ids); err != nil {
		return err
	}
	if err := to.Find(ctx, rows); err != nil {
		return err
	}
	var fresh []Row[T]
	for _, row := range rows {
		taken, known := batch.Taken[row.ID]
		switch {
		case row.Kind == Gone && known:
			err = to.Gone(ctx, taken)
		case row.Kind == Gone, known && taken.Source == row.Source: // it was done before
		case row.Problem != "":
			batch.Refuse(row.ID, false, "%s", row.Problem)
		case known:
			err = to.Changed(ctx, row, taken)
		default:
			fresh = append(fresh, row)
		}
		if err != nil {
			return err
		}
	}
	return to.Fresh(ctx, fresh)
}
