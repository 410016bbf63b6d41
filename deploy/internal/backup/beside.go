package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"oms.internal/servers/dbpair"
)

// A restore loads a backup into schemas beside the live ones. When all is there, one statement exchanges the tables, so that at any moment
// the live schemas hold either all of the old data or all of the new. Both engines execute that statement whole or not at all, also when
// the server is killed (MariaDB since 10.6), and the replica executes the same statement.
const (
	loadedPrefix   = "oms_restoring_" // what is being loaded
	replacedPrefix = "oms_replaced_"  // what the last restore replaced, until the services run again
)

// cleanupLimit bounds what is done after an error, and lockLimit how long a statement waits for others that use a table.
const (
	cleanupLimit = time.Minute
	lockLimit    = "SET SESSION lock_wait_timeout = 5"
)

// tablesOf returns the names of a schema's tables.
func tablesOf(ctx context.Context, db *sql.DB, schema string) (names []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name", schema)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// versions returns the number of the last migration of each live schema, or of the schemas with a prefix.
func versions(ctx context.Context, db *sql.DB, prefix string) (map[string]int64, error) {
	found := map[string]int64{}
	for _, schema := range schemas {
		exists, err := hasTable(ctx, db, prefix+schema, migrationsTable)
		if err != nil {
			return nil, err
		}
		if !exists {
			continue
		}
		var number int64
		// #nosec G202 -- one of the names above
		err = db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+prefix+schema+"."+migrationsTable).Scan(&number)
		if err != nil {
			return nil, err
		}
		found[schema] = number
	}
	return found, nil
}

func hasTable(ctx context.Context, db *sql.DB, schema, table string) (bool, error) {
	var count int
	err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
		schema, table).Scan(&count)
	return count > 0, err
}

// intoLoaded changes the lines of a backup that name a schema, so that they name the one beside it.
func intoLoaded(line []byte) []byte {
	text := string(line)
	for _, schema := range schemas {
		name, other := "`"+schema+"`", "`"+loadedPrefix+schema+"`"
		switch {
		case text == "USE "+name+";\n":
			return []byte("USE " + other + ";\n")
		case strings.HasPrefix(text, "CREATE DATABASE ") && strings.Contains(text, name),
			strings.HasPrefix(text, "/*!40000 DROP DATABASE IF EXISTS "+name):
			return []byte(strings.Replace(text, name, other, 1))
		}
	}
	return line
}

// exchange puts the loaded tables into the place of the live ones, which it puts aside. It does not end with ctx, because it is one
// statement, and its caller must know what came of it.
func exchange(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	var moves []string
	for _, schema := range schemas {
		for _, from := range []struct{ schema, to string }{{schema, replacedPrefix + schema}, {loadedPrefix + schema, schema}} {
			if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+from.to); err != nil {
				return err
			}
			tables, err := tablesOf(ctx, db, from.schema)
			if err != nil {
				return err
			}
			for _, table := range tables {
				moves = append(moves, fmt.Sprintf("%s.`%s` TO %s.`%s`", from.schema, table, from.to, table))
			}
		}
	}
	// A higher epoch than any before: else a primary with the older heartbeat of the backup would look like a server that lost its data,
	// where the replica has not followed yet.
	epoch, err := dbpair.HighestEpoch(ctx, db)
	if err != nil {
		return err
	}
	if err := dbpair.RaiseEpoch(ctx, db, epoch+1); err != nil {
		return err
	}
	return execute(ctx, db, "RENAME TABLE "+strings.Join(moves, ", "))
}

// remains are the schemas that a restore made beside the live ones, in the order in which they are to be removed, so that an interrupted
// removal leaves a state that says the same. exchanged reports whether the live tables are the backup's: then no table is left of
// those that were loaded.
func remains(ctx context.Context, db *sql.DB) (names []string, exchanged bool, err error) {
	there := func(prefix string) (found []string, tables int, err error) {
		for _, schema := range schemas {
			var count int
			err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?",
				prefix+schema).Scan(&count)
			if err != nil {
				return nil, 0, err
			}
			if count == 0 {
				continue
			}
			held, err := tablesOf(ctx, db, prefix+schema)
			if err != nil {
				return nil, 0, err
			}
			found, tables = append(found, prefix+schema), tables+len(held)
		}
		return found, tables, nil
	}
	loaded, tables, err := there(loadedPrefix)
	if err != nil {
		return nil, false, err
	}
	replaced, _, err := there(replacedPrefix)
	if len(replaced) > 0 && tables == 0 {
		return append(loaded, replaced...), true, err
	}
	return append(replaced, loaded...), false, err
}

// remove removes schemas beside the live ones.
func remove(ctx context.Context, db *sql.DB, names []string) error {
	for _, name := range names {
		if err := execute(ctx, db, "DROP DATABASE IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}

// execute executes a statement that waits only for a while for others that use the same tables.
func execute(ctx context.Context, db *sql.DB, statement string) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, lockLimit); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, statement)
	return err
}

// Tidy removes what an interrupted restore left beside the live data, and says which data is in service.
func Tidy(ctx context.Context, pair *dbpair.Pair, say func(string)) error {
	db, err := pair.Primary.OpenRoot()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // every statement was committed
	return tidy(ctx, db, say)
}

func tidy(ctx context.Context, db *sql.DB, say func(string)) error {
	names, exchanged, err := remains(ctx, db)
	if err != nil || len(names) == 0 {
		return err
	}
	if exchanged {
		say("a restore was interrupted after it had taken effect: the data is the backup's. What it replaced is removed now")
	} else {
		say("a restore was interrupted before it took effect: the data is what it was before. What was loaded is removed now")
	}
	if err := remove(ctx, db, names); err != nil {
		return fmt.Errorf("remove the remains of a restore (%s): %w", strings.Join(names, ", "), err)
	}
	return nil
}
