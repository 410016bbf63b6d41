package backup

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"oms.internal/sql"
)

// migrationsTable is goose's, in each schema.
const migrationsTable = "goose_db_version"

// refuseNewer fails if a migration was applied that this release does not have. Its services would work with tables that they do not know.
func refuseNewer(applied map[string]int64) error {
	for schema, files := range map[string]fs.FS{"accounts": sql.Accounts(), "orders": sql.Orders()} {
		known, err := lastOf(files)
		if err != nil {
			return err
		}
		if applied[schema] > known {
			return fmt.Errorf("the backup is of a newer release: %s is at migration %d, and this release knows %d",
				schema, applied[schema], known)
		}
	}
	return nil
}

// lastOf returns the highest number that the name of a migration begins with.
func lastOf(files fs.FS) (last int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		digits, _, _ := strings.Cut(path.Base(name), "_")
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		last = max(last, number)
	}
	return last, nil
}
