package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/store/sqlcgen"
)

// mendBatch is how many rows one statement looks at.
const mendBatch = 1000

// schemaIsNew says whether a migration was applied within a week. Processes of the release before may have been writing since.
const schemaIsNew = "SELECT COUNT(*) > 0 FROM goose_db_version WHERE tstamp > NOW() - INTERVAL 7 DAY"

// MendEarlierWrites brings what the release before has written to the rules of this one: the names of products into normal
// form C, in which they are searched; the numbers of orders into order_numbers; and the notes about former customers away.
// Processes of that release go on to write so while services are updated one by one, so the whole is done each time that the
// migrations are run, for a week after the last of them. Then it looks at nothing. Any number of runs do no harm.
func MendEarlierWrites(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	var isNew bool
	if err := db.QueryRowContext(ctx, schemaIsNew).Scan(&isNew); err != nil || !isNew {
		return err
	}
	queries := sqlcgen.New(db)
	if err := mendOrders(ctx, queries, log); err != nil {
		return fmt.Errorf("mend orders: %w", err)
	}
	if err := mendNotes(ctx, queries); err != nil {
		return fmt.Errorf("mend notes: %w", err)
	}
	return nil
}

// mendOrders composes the names of products and notes the numbers of orders.
func mendOrders(ctx context.Context, queries *sqlcgen.Queries, log *slog.Logger) error {
	mended := 0
	for after := uint64(0); ; {
		rows, err := queries.ListOrdersToMendAfter(ctx, sqlcgen.ListOrdersToMendAfterParams{ID: after, Limit: mendBatch})
		if err != nil {
			return err
		}
		for _, row := range rows {
			changed, err := mendOrder(ctx, queries, row)
			if err != nil {
				return err
			}
			if changed {
				mended++
			}
		}
		if len(rows) < mendBatch {
			log.Info("mended orders of the release before", "orders", mended)
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

// mendOrder mends one order. A composed name is canonically the same text, so this is no change of the order. A name that has
// no room for its composed form stays as it is.
func mendOrder(ctx context.Context, queries *sqlcgen.Queries, row sqlcgen.ListOrdersToMendAfterRow) (changed bool, err error) {
	name := norm.NFC.String(row.ProductName)
	if name != row.ProductName && utf8.RuneCountInString(name) <= order.MaxProductName {
		changed = true
		err = queries.ComposeProduct(ctx, sqlcgen.ComposeProductParams{ID: row.ID, ProductName: row.ProductName, Composed: name})
	}
	if err == nil && !row.Recorded {
		changed = true
		err = queries.InsertOrderNumberIfMissing(ctx, sqlcgen.InsertOrderNumberIfMissingParams{OrderNumber: row.OrderNumber, OrderID: row.ID})
	}
	return changed, err
}

// mendNotes removes the notes about all former customers.
func mendNotes(ctx context.Context, queries *sqlcgen.Queries) error {
	inPlace := func(_ context.Context, work func(*sqlcgen.Queries) error) error { return work(queries) }
	for after := uint64(0); ; {
		former, err := queries.ListFormerCustomersAfter(ctx, sqlcgen.ListFormerCustomersAfterParams{CustomerID: after, Limit: mendBatch})
		if err != nil || len(former) == 0 {
			return err
		}
		if err := redactNotes(ctx, former, inPlace); err != nil {
			return err
		}
		after = former[len(former)-1]
	}
}
