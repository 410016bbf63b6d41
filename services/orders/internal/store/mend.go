package store

import (
	"context"
	"fmt"
	"math"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/mysqlx"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// mendBatch is how many orders one transaction looks at.
const mendBatch = 200

// earlierMayWrite says whether the migration with the present rules was applied within a week. For so long processes of the release
// before may have been writing.
const earlierMayWrite = "SELECT COUNT(*) > 0 FROM goose_db_version WHERE version_id = 9 AND tstamp > NOW() - INTERVAL 7 DAY"

// MendEarlierWrites is a service.Round: it brings the names of products into normal form C, in which they are searched, and removes the
// notes about former customers. Nothing tells which orders the release before has written or changed, so a round looks at all of them, and
// begins only for a week after the migration. The database keeps its place, so a round that was interrupted goes on there, and
// processes that make one at the same time share it.
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
	err = s.cluster.Write(ctx, func(ctx context.Context, writer mysqlx.Writer) error {
		mended, goesOn = 0, false
		queries := sqlcgen.New(writer)
		after, err := queries.GetMendedForUpdate(ctx)
		due := after != 0 || begin
		if err == nil && after == 0 && begin {
			err = writer.QueryRowContext(ctx, earlierMayWrite).Scan(&due)
		}
		if err != nil || !due {
			return err
		}
		orders, err := queries.ListProductsAfter(ctx, sqlcgen.ListProductsAfterParams{ID: after, Limit: mendBatch})
		if err != nil {
			return err
		}
		through, next := uint64(math.MaxInt64), uint64(0)
		if goesOn = len(orders) == mendBatch; goesOn {
			next = orders[len(orders)-1].ID
			through = next
		}
		if mended, err = composeProducts(ctx, queries, orders); err != nil {
			return err
		}
		notes, err := queries.ListNotesAboutFormerCustomers(ctx, sqlcgen.ListNotesAboutFormerCustomersParams{After: after, Through: through})
		if err == nil && len(notes) > 0 {
			mended += len(notes)
			err = queries.RedactNotes(ctx, notes)
		}
		if err != nil {
			return err
		}
		return queries.UpdateMended(ctx, next)
	})
	if err != nil {
		return 0, false, fmt.Errorf("mend orders: %w", err)
	}
	return mended, goesOn, nil
}

// composeProducts composes the names of products. That is canonically the same text, so it is no change of the order. A name that has
// no room for its composed form stays as it is.
func composeProducts(ctx context.Context, queries *sqlcgen.Queries, orders []sqlcgen.ListProductsAfterRow) (composed int, err error) {
	for _, row := range orders {
		name := norm.NFC.String(row.ProductName)
		if name == row.ProductName || utf8.RuneCountInString(name) > order.MaxProductName {
			continue
		}
		composed++
		if err := queries.ComposeProduct(ctx, sqlcgen.ComposeProductParams{ID: row.ID, ProductName: row.ProductName, Composed: name}); err != nil {
			return 0, err
		}
	}
	return composed, nil
}
