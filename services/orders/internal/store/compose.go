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

// composeBatch is how many orders are looked at with one statement.
const composeBatch = 1000

// ComposeProducts brings the names of products into normal form C, in which they are searched: those that processes stored
// that did not compose what they read. It looks at each order once, and so at the new ones only where it runs again. The text
// stays canonically the same, so this is no change of the order. A name that has no room for its composed form stays as it is.
func ComposeProducts(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	queries := sqlcgen.New(db)
	through, err := queries.GetComposedThrough(ctx)
	if err != nil {
		return fmt.Errorf("compose products: %w", err)
	}
	composed := 0
	for {
		rows, err := queries.ListProductsAfter(ctx, sqlcgen.ListProductsAfterParams{ID: through, Limit: composeBatch})
		if err != nil || len(rows) == 0 {
			if composed > 0 {
				log.Info("composed names of products", "orders", composed)
			}
			return err
		}
		for _, row := range rows {
			name := norm.NFC.String(row.ProductName)
			if name == row.ProductName || utf8.RuneCountInString(name) > order.MaxProductName {
				continue
			}
			if err := queries.ComposeProduct(ctx, sqlcgen.ComposeProductParams{
				ID: row.ID, ProductName: row.ProductName, Composed: name,
			}); err != nil {
				return fmt.Errorf("compose products: %w", err)
			}
			composed++
		}
		through = rows[len(rows)-1].ID
		if err := queries.SetComposedThrough(ctx, through); err != nil {
			return fmt.Errorf("compose products: %w", err)
		}
	}
}
