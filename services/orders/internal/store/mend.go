package store

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// mendBatch is how many orders one transaction looks at.
const mendBatch = 200

// sinceMigration says whether processes of the release before may still write, and whether all of them have ended. A week after the
// migration with the present rules nobody runs them any more. An hour after it they have ended where services are updated one by one.
const sinceMigration = `SELECT tstamp > NOW() - INTERVAL 7 DAY, tstamp < NOW() - INTERVAL 1 HOUR
	FROM goose_db_version WHERE version_id = 11 ORDER BY id DESC LIMIT 1`

// MendEarlierWrites is a service.Round: it brings the names of products into normal form C, in which they are searched, adds them to
// product_names, and removes the notes about former customers. Nothing tells which orders the release before has written or changed, so a
// round looks at all of them. Rounds begin for a week after the migration, and until one has made product_names complete. The database
// keeps the place, so a round that was interrupted goes on there, and processes that make one at the same time share it.
//
// The number of an order that the release before has written needs no mending: while the order has it, no other order can have it, and
// the order's change or deletion keeps it.
func (s *Store) MendEarlierWrites(ctx context.Context, rest func() error) (mended int, err error) {
	for begin := true; ; begin = false {
		count, goesOn, err := s.mendNext(ctx, begin)
		mended += count
		if err == nil && goesOn {
			err = rest()
		}
		if err != nil || !goesOn {
			return mended, err
		}
	}
}

// mendNext mends the next orders of the round and says whether others follow. Where there is no round, it may begin one.
func (s *Store) mendNext(ctx context.Context, begin bool) (mended int, goesOn bool, err error) {
	var tx transaction
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		mended, goesOn = 0, false
		tx = s.begun(writer)
		round, due, err := dueRound(ctx, tx, begin)
		if err != nil || !due {
			return err
		}
		orders, err := tx.ListProductsAfter(ctx, sqlcgen.ListProductsAfterParams{ID: round.Through, Limit: mendBatch})
		if err != nil {
			return err
		}
		if mended, err = composeProducts(ctx, tx, orders); err != nil {
			return err
		}
		through := uint64(math.MaxInt64)
		next := sqlcgen.UpdateRoundParams{Through: 0, Settled: round.Settled, Complete: round.Complete || round.Settled}
		if goesOn = len(orders) == mendBatch; goesOn {
			through = orders[len(orders)-1].ID
			next.Through, next.Complete = through, round.Complete
		}
		notes, err := tx.ListNotesAboutFormerCustomers(ctx, sqlcgen.ListNotesAboutFormerCustomersParams{After: round.Through, Through: through})
		if err == nil && len(notes) > 0 {
			mended += len(notes)
			err = tx.RedactNotes(ctx, notes)
		}
		if err != nil {
			return err
		}
		return tx.UpdateRound(ctx, next)
	})
	if err != nil {
		return 0, false, fmt.Errorf("mend orders: %w", err)
	}
	tx.naming.committed()
	return mended, goesOn, nil
}

// dueRound returns the round that goes on, or the one that begins if begin is true and rounds are due.
func dueRound(ctx context.Context, tx transaction, begin bool) (round sqlcgen.ProductRound, due bool, err error) {
	round, err = tx.GetRoundForUpdate(ctx)
	if err != nil || round.Through != 0 || !begin {
		return round, round.Through != 0, err
	}
	var earlierMayWrite bool
	err = tx.writer.QueryRowContext(ctx, sinceMigration).Scan(&earlierMayWrite, &round.Settled)
	return round, earlierMayWrite || !round.Complete, err
}

// composeProducts composes the names of products and adds them to product_names. A composed name is canonically the same text, so it is no
// change of the order. A name that has no room for its composed form stays as it is.
func composeProducts(ctx context.Context, tx transaction, orders []sqlcgen.ListProductsAfterRow) (composed int, err error) {
	names := make([]string, len(orders))
	for i, row := range orders {
		names[i] = norm.NFC.String(row.ProductName)
		if utf8.RuneCountInString(names[i]) > order.MaxProductName {
			names[i] = row.ProductName
		}
	}
	if err := tx.naming.name(ctx, tx.writer, slices.Clone(names)...); err != nil {
		return 0, err
	}
	for i, row := range orders {
		if names[i] == row.ProductName {
			continue
		}
		composed++
		if err := tx.ComposeProduct(ctx, sqlcgen.ComposeProductParams{ID: row.ID, ProductName: row.ProductName, Composed: names[i]}); err != nil {
			return 0, err
		}
	}
	return composed, nil
}
