package dbpair

import (
	"context"
	"database/sql"
	"strings"
)

// epochSchemas returns the schemas that have a table heartbeat with an epoch: those of the services.
func epochSchemas(ctx context.Context, db *sql.DB) ([]string, error) {
	return queryStrings(ctx, db, "SELECT table_schema FROM information_schema.columns "+
		"WHERE table_name = 'heartbeat' AND column_name = 'epoch' ORDER BY table_schema")
}

// HighestEpoch returns the highest epoch of a server's schemas, 0 if there is none.
func HighestEpoch(ctx context.Context, db *sql.DB) (uint64, error) { return highest(ctx, db, "epoch") }

// highest returns the highest value of a column in the schemas' heartbeats, 0 if there is none.
func highest(ctx context.Context, db *sql.DB, column string) (value uint64, err error) {
	schemas, err := epochSchemas(ctx, db)
	if err != nil || len(schemas) == 0 {
		return 0, err
	}
	parts := make([]string, len(schemas))
	for i, schema := range schemas {
		parts[i] = "SELECT " + column + " AS value FROM `" + schema + "`.heartbeat"
	}
	// #nosec G202 -- names of our own schemas
	err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(value), 0) FROM ("+strings.Join(parts, " UNION ALL ")+") AS heartbeats").Scan(&value)
	return value, err
}

// RaiseEpoch sets every schema's epoch to the given one, unless it is higher already.
func RaiseEpoch(ctx context.Context, db *sql.DB, epoch uint64) error {
	schemas, err := epochSchemas(ctx, db)
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		// #nosec G202 -- names of our own schemas
		if _, err := db.ExecContext(ctx, "UPDATE `"+schema+"`.heartbeat SET epoch = GREATEST(epoch, ?)", epoch); err != nil {
			return err
		}
	}
	return nil
}
