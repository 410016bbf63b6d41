package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"

	"oms.internal/deploy/internal/database"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// migrated gives a pair the schemas of the services.
func migrated(t *testing.T, pair *dbpair.Pair) *sql.DB {
	t.Helper()
	db := opened(t, pair.Primary)
	db.SetMaxOpenConns(1) // USE is a connection's
	for _, schema := range schemas {
		run(t, db, "CREATE DATABASE "+schema, "USE "+schema)
		files, err := filepath.Glob("../../../sql/" + schema + "/migrations/*.sql")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			up, _, found := strings.Cut(string(content), "-- +goose Down")
			require.True(t, found, file)
			for statement := range strings.SplitSeq(up, ";\n") {
				if strings.Contains(statement, "(") || strings.Contains(statement, "ALTER") {
					run(t, db, statement)
				}
			}
		}
	}
	return db
}

func opened(t *testing.T, server *dbpair.Server) *sql.DB {
	t.Helper()
	db, err := server.OpenRoot()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// digests are the checksums of all rows of every table, in the order of the rows' text.
func digests(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	result := map[string]string{}
	tables, err := database.Rows(t.Context(), db, "SELECT CONCAT(table_schema, '.', table_name) AS name "+
		"FROM information_schema.tables WHERE table_schema IN ('accounts', 'orders')")
	require.NoError(t, err)
	for _, table := range tables {
		name := table.Text("name")
		rows, err := database.Rows(t.Context(), db, "SELECT * FROM "+name+" ORDER BY 1, 2")
		require.NoError(t, err)
		digest := sha256.New()
		for _, row := range rows {
			var cells []string
			for column, value := range row {
				cells = append(cells, fmt.Sprintf("%s=%v", column, value == nil))
				if value != nil {
					cells = append(cells, fmt.Sprintf("%s=%q", column, *value))
				}
			}
			// The columns come in a map's order.
			slices.Sort(cells)
			_, _ = io.WriteString(digest, strings.Join(cells, "\x00")+"\n")
		}
		result[name] = fmt.Sprintf("%d rows %s", len(rows), hex.EncodeToString(digest.Sum(nil)))
	}
	return result
}

type fakeServices struct {
	calls   []string
	stopped func()
}

func (f *fakeServices) StopServices(context.Context) (bool, error) {
	f.calls = append(f.calls, "stop")
	if f.stopped != nil {
		f.stopped()
	}
	return true, nil
}

func (f *fakeServices) StartServices(context.Context) error {
	f.calls = append(f.calls, "start")
	return nil
}

func seed(t *testing.T, db *sql.DB) {
	t.Helper()
	for i := range 500 {
		_, err := db.ExecContext(t.Context(), "INSERT INTO accounts.members (email, email_key, name, nickname, phone, gender, "+
			"password_hash, created_at) VALUES (?, ?, '김선기', ?, '01083574364', ?, 'x', NOW(6))",
			fmt.Sprintf("m%d@example.com", i), fmt.Sprintf("m%d@example.com", i), "it's \\ \"quoted\"\n\x00\x1a", sql.NullString{})
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "INSERT INTO orders.orders (customer_id, order_number, product_name, paid_at) "+
			"VALUES (?, ?, '[신메뉴할인] 꼬막무침 🍤', NOW(6))", i, fmt.Sprintf("%012d", i))
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "INSERT INTO orders.idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) "+
			"VALUES (?, ?, ?, ?, NOW(6))", i, digestOf(i), digestOf(-i), []byte{0, 1, 0xff, '\'', '\\', byte(i)})
		require.NoError(t, err)
	}
	run(t, db, "UPDATE accounts.heartbeat SET epoch = 3, beat = 12345", "UPDATE orders.heartbeat SET epoch = 3, beat = 12345")
}

func digestOf(i int) []byte {
	digest := sha256.Sum256(fmt.Appendf(nil, "%d", i))
	return digest[:]
}

func TestABackupRestoredIntoAnEmptyPairIsEqualRowForRow(t *testing.T) {
	t.Parallel()
	source, target := testservers.Shared(t), testservers.NewPair(t)
	db := migrated(t, source)
	seed(t, db)
	path := filepath.Join(t.TempDir(), "oms.sql")
	require.NoError(t, Write(t.Context(), source, path, io.Discard))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Regexp(t, `SET GLOBAL gtid_slave_pos='0-1-\d+'|GTID_PURGED='\+?[0-9a-f-]{36}:1-\d+'`, string(content))

	services := &fakeServices{}
	require.NoError(t, Restore(t.Context(), target, services, path, false, io.Discard))
	require.Equal(t, []string{"stop", "start"}, services.calls)
	require.NoError(t, target.Sync(t.Context()))
	want := digests(t, db)
	require.Contains(t, want["orders.orders"], "500 rows")
	require.Equal(t, want, digests(t, opened(t, target.Primary)))
	require.Equal(t, want, digests(t, opened(t, target.Replica)))

	// The data of a system in use goes only if somebody insists, and its epoch never goes back.
	there := opened(t, target.Primary)
	run(t, there, "DELETE FROM orders.orders", "UPDATE orders.heartbeat SET epoch = 7")
	require.ErrorIs(t, Restore(t.Context(), target, services, path, false, io.Discard), ErrHoldsData)
	require.NoError(t, Restore(t.Context(), target, services, path, true, io.Discard))
	epoch, err := dbpair.HighestEpoch(t.Context(), there)
	require.NoError(t, err)
	require.Equal(t, uint64(7), epoch)
	require.Equal(t, want["orders.orders"], digests(t, there)["orders.orders"])
	run(t, there, "DELETE FROM orders.orders") // it can be written to

	// After a failover the other server is the one that is restored.
	require.NoError(t, target.Failover(t.Context()))
	require.NoError(t, Restore(t.Context(), target, services, path, true, io.Discard))
	require.NoError(t, target.Sync(t.Context()))
	require.Equal(t, want["orders.orders"], digests(t, opened(t, target.Replica))["orders.orders"])
}

func TestAFileThatIsNoWholeBackupOfThisEngineChangesNothing(t *testing.T) {
	t.Parallel()
	pair := testservers.Shared(t)
	for want, content := range map[string]string{
		"this is not a backup of OMS":      "DROP DATABASE accounts;\n",
		"this is a backup of another":      header + "another, 2026\n" + dbpair.DumpEnd,
		"the end of the backup is missing": header + string(pair.Engine()) + ", 2026\nCREATE DATABASE halfway;\n-- a table of this long name\n",
	} {
		path := filepath.Join(t.TempDir(), "oms.sql")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		services := &fakeServices{}
		require.ErrorContains(t, Restore(t.Context(), pair, services, path, true, io.Discard), want)
		require.Empty(t, services.calls)
	}
}

func TestARestoreThatEndsBeforeItChangesDataStartsTheServicesAgain(t *testing.T) {
	t.Parallel()
	pair := testservers.Shared(t)
	path := filepath.Join(t.TempDir(), "oms.sql")
	require.NoError(t, os.WriteFile(path, []byte(header+string(pair.Engine())+", now\n"+dbpair.DumpEnd), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	services := &fakeServices{stopped: cancel}
	err := Restore(ctx, pair, services, path, true, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	require.NotContains(t, err.Error(), "incomplete")
	require.Equal(t, []string{"stop", "start"}, services.calls)
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	err := writeSchemas(t.Context(), testservers.Shared(t), filepath.Join(folder, "oms.sql"), []string{"missing"}, io.Discard)
	require.ErrorContains(t, err, "missing")
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}
