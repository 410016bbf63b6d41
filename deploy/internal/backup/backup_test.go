package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/proc"
	"oms.internal/servers/testservers"

	"oms.internal/deploy/internal/database"
)

// insists accepts every danger.
var insists = Insists{Data: true, Unsealed: true}

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
	t.Cleanup(func() { _ = db.Close() }) // it complains about connections to a server that was killed
	return db
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// digests are the checksums of all rows of every table, in the order of the rows' text. They leave out the epochs, which a restore raises.
func digests(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	result := map[string]string{}
	tables, err := database.Rows(t.Context(), db, "SELECT CONCAT(table_schema, '.', table_name) AS name "+
		"FROM information_schema.tables WHERE table_schema IN ('accounts', 'orders')")
	require.NoError(t, err)
	for _, table := range tables {
		name := table.Text("name")
		columns := "*"
		if strings.HasSuffix(name, ".heartbeat") {
			columns = "id, beat"
		}
		rows, err := database.Rows(t.Context(), db, "SELECT "+columns+" FROM "+name)
		require.NoError(t, err)
		var lines []string
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
			lines = append(lines, strings.Join(cells, "\x00"))
		}
		slices.Sort(lines)
		digest := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		result[name] = fmt.Sprintf("%d rows %s", len(rows), hex.EncodeToString(digest[:]))
	}
	return result
}

type fakeServices struct {
	calls             []string
	stopping, started func()
}

func (f *fakeServices) StopServices(context.Context) (bool, error) {
	f.calls = append(f.calls, "stop")
	if f.stopping != nil {
		f.stopping()
	}
	return true, nil
}

func (f *fakeServices) StartServices(context.Context) error {
	f.calls = append(f.calls, "start")
	if f.started != nil {
		f.started()
	}
	return nil
}

func seed(t *testing.T, db *sql.DB) {
	t.Helper()
	all, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	for i := range 500 {
		_, err := all.ExecContext(t.Context(), "INSERT INTO accounts.members (email, email_key, name, nickname, phone, gender, "+
			"password_hash, created_at) VALUES (?, ?, '김선기', ?, '01083574364', ?, 'x', NOW(6))",
			fmt.Sprintf("m%d@example.com", i), fmt.Sprintf("m%d@example.com", i), "it's \\ \"quoted\"\n\x00\x1a", sql.NullString{})
		require.NoError(t, err)
		_, err = all.ExecContext(t.Context(), "INSERT INTO orders.orders (customer_id, order_number, product_name, paid_at) "+
			"VALUES (?, ?, '[신메뉴할인] 꼬막무침 🍤', NOW(6))", i, fmt.Sprintf("%012d", i))
		require.NoError(t, err)
		_, err = all.ExecContext(t.Context(), "INSERT INTO orders.idempotency_keys (caller_id, key_digest, fingerprint, answer, created_at) "+
			"VALUES (?, ?, ?, ?, NOW(6))", i, digestOf(i), digestOf(-i), []byte{0, 1, 0xff, '\'', '\\', byte(i)})
		require.NoError(t, err)
	}
	require.NoError(t, all.Commit())
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
	path := filepath.Join(t.TempDir(), "oms.sql.gz")
	require.NoError(t, Write(t.Context(), source, path, io.Discard))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	content := textOf(t, path)
	require.Regexp(t, `SET GLOBAL gtid_slave_pos='0-1-\d+'|GTID_PURGED='\+?[0-9a-f-]{36}:1-\d+'`, content)
	var said bytes.Buffer
	require.NoError(t, Check(t.Context(), path, &said))
	require.Regexp(t, `orders\.orders +500 *\n`, said.String())

	services := &fakeServices{}
	require.NoError(t, Restore(t.Context(), target, services, path, Insists{}, io.Discard))
	require.Equal(t, []string{"stop", "start"}, services.calls)
	require.NoError(t, target.Sync(t.Context()))
	want := digests(t, db)
	require.Contains(t, want["orders.orders"], "500 rows")
	there := opened(t, target.Primary)
	require.Equal(t, want, digests(t, there))
	require.Equal(t, want, digests(t, opened(t, target.Replica)))

	// The data of a system in use goes only if somebody insists. Its epoch rises, so that a replica without the backup's data is not
	// taken for a server with newer data.
	run(t, there, "DELETE FROM orders.orders", "UPDATE orders.heartbeat SET epoch = 7")
	require.ErrorIs(t, Restore(t.Context(), target, services, path, Insists{}, io.Discard), ErrHoldsData)
	require.NoError(t, Restore(t.Context(), target, services, path, insists, io.Discard))
	epoch, err := dbpair.HighestEpoch(t.Context(), there)
	require.NoError(t, err)
	require.Equal(t, uint64(8), epoch)
	require.Equal(t, want["orders.orders"], digests(t, there)["orders.orders"])
	run(t, there, "DELETE FROM orders.orders") // it can be written to

	// After a failover the other server is the one that is restored.
	require.NoError(t, target.Failover(t.Context()))
	require.NoError(t, Restore(t.Context(), target, services, path, insists, io.Discard))
	require.NoError(t, target.Sync(t.Context()))
	require.Equal(t, want["orders.orders"], digests(t, opened(t, target.Replica))["orders.orders"])

	// A failover beside a backup does not harm it: the server that was the primary has the data of that moment to the end.
	rows := newTally()
	var once sync.Once
	require.NoError(t, target.Dump(t.Context(), writerFunc(func(text []byte) (int, error) {
		once.Do(func() { require.NoError(t, target.Failover(t.Context())) })
		return rows.Write(text)
	}), schemas...))
	require.EqualValues(t, 500, rows.rows["orders.orders"])
	require.EqualValues(t, 500, rows.rows["orders.idempotency_keys"])

	mayBeKilled(t, target, path)
	mayLoseItsServer(t, target)
}

type writerFunc func(text []byte) (int, error)

func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// mayLoseItsServer kills the server while a backup reads, as a failover does if it hangs.
func mayLoseItsServer(t *testing.T, pair *dbpair.Pair) {
	t.Helper()
	holding, db := opened(t, pair.Primary), opened(t, pair.Primary)
	holding.SetMaxOpenConns(1)
	run(t, holding, "LOCK TABLES orders.orders WRITE")
	killed := make(chan error, 1)
	go func() {
		killed <- errors.Join(proc.Poll(t.Context(), func() error {
			return hasSession(t, db, func(session map[string]string) bool { return strings.HasPrefix(session["State"], "Waiting for table") })
		}), pair.Primary.Kill())
	}()
	folder := t.TempDir()
	err := Write(t.Context(), pair, filepath.Join(folder, "oms.sql"), io.Discard)
	require.NoError(t, <-killed)
	require.Error(t, err)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// hasSession returns an error unless a session of a server is such a one.
func hasSession(t *testing.T, server *sql.DB, is func(map[string]string) bool) error {
	t.Helper()
	sessions, err := dbpair.Sessions(t.Context(), server)
	if err == nil && !slices.ContainsFunc(sessions, is) {
		err = errors.New("there is no such session")
	}
	return err
}

// mayBeKilled kills a restore, and the server under it, at each of its steps. The pair is in service with other data than the file's.
func mayBeKilled(t *testing.T, pair *dbpair.Pair, path string) {
	t.Helper()
	restored, db := opened(t, pair.Primary), opened(t, pair.Primary)
	restored.SetMaxOpenConns(1)
	backup := digests(t, db)
	run(t, db, "UPDATE accounts.members SET name = 'before'", "DELETE FROM orders.composed_products")
	before := digests(t, db)
	require.NotEqual(t, backup, before)
	unchanged := func(what string) {
		t.Helper()
		require.Equal(t, before, digests(t, db), what)
		names, _, err := remains(t.Context(), db)
		require.NoError(t, err)
		require.Empty(t, names, what)
	}
	tidied := func(want string) {
		t.Helper()
		var said []string
		require.NoError(t, Tidy(t.Context(), pair, func(text string) { said = append(said, text) }))
		require.Len(t, said, 1)
		require.Contains(t, said[0], want)
		require.NoError(t, Tidy(t.Context(), pair, func(string) { t.Error("there is nothing to tidy") }))
	}

	// The server is killed while it loads.
	stuck := filepath.Join(t.TempDir(), "stuck.sql")
	stall := "USE `orders`;\nDO SLEEP(3600);\n"
	writeText(t, stuck, resealed(t, strings.Replace(textOf(t, path), dbpair.DumpEnd, stall+dbpair.DumpEnd, 1)))
	services := &fakeServices{}
	killed := make(chan error, 1)
	go func() {
		killed <- errors.Join(proc.Poll(t.Context(), func() error {
			return hasSession(t, db, func(session map[string]string) bool { return session["Info"] == "DO SLEEP(3600)" })
		}), pair.Primary.Kill())
	}()
	err := Restore(t.Context(), pair, services, stuck, insists, io.Discard)
	require.NoError(t, <-killed)
	require.ErrorContains(t, err, "the old data is in service")
	require.Empty(t, services.calls)
	require.NoError(t, pair.Primary.Restart(t.Context()))
	run(t, db, "SET GLOBAL "+writable(pair))
	tidied("the data is what it was before")
	unchanged("killed while it loaded")

	// The command is killed after it has stopped the services.
	gone := func(services *fakeServices) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = Restore(t.Context(), pair, services, path, insists, io.Discard)
		}()
		<-ended
	}
	gone(&fakeServices{stopping: runtime.Goexit})
	require.Equal(t, before, digests(t, db))
	tidied("the data is what it was before")
	unchanged("killed before the exchange")

	// The server is killed when the data is about to be exchanged.
	services = &fakeServices{stopping: func() { require.NoError(t, pair.Primary.Kill()) }}
	err = Restore(t.Context(), pair, services, path, insists, io.Discard)
	require.ErrorContains(t, err, "either all of the old data or all of the backup's")
	require.Equal(t, []string{"stop", "start"}, services.calls)
	require.NoError(t, pair.Primary.Restart(t.Context()))
	run(t, db, "SET GLOBAL "+writable(pair))
	tidied("the data is what it was before")
	unchanged("killed at the exchange")

	// Somebody uses a table: the exchange does not wait for ever.
	holder, err := restored.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "SELECT * FROM accounts.members LIMIT 1")
	require.NoError(t, err)
	services = &fakeServices{}
	require.ErrorContains(t, Restore(t.Context(), pair, services, path, insists, io.Discard), "the old data is in service")
	require.NoError(t, holder.Rollback())
	require.Equal(t, []string{"stop", "start"}, services.calls)
	unchanged("a table was in use")

	// The command is killed when the services start.
	gone(&fakeServices{started: runtime.Goexit})
	tidied("the data is the backup's")
	require.Equal(t, backup["accounts.members"], digests(t, db)["accounts.members"])
}

// writable is what makes a server take writes.
func writable(pair *dbpair.Pair) string {
	if pair.Engine() == dbpair.MySQL {
		return "super_read_only = OFF, read_only = OFF"
	}
	return "read_only = OFF"
}

func TestAFileThatIsNoWholeBackupOfThisEngineChangesNothing(t *testing.T) {
	t.Parallel()
	pair := testservers.Shared(t)
	dump := "-- Current Database: `accounts`\nCREATE DATABASE `accounts`;\nUSE `accounts`;\n" + dbpair.DumpEnd
	for want, content := range map[string]string{
		"this is a backup of another":     resealed(t, header+"another, 2026\n"+dump),
		"is of an earlier release":        oldHeader + string(pair.Engine()) + ", 2026\n" + dump,
		"accounts is at migration 100000": newer(t, header+string(pair.Engine())+", 2026\n"+dump),
		"was cut or changed":              strings.Replace(resealed(t, header+string(pair.Engine())+", 2026\n"+dump), "USE", "use", 1),
	} {
		path := filepath.Join(t.TempDir(), "oms.sql")
		writeText(t, path, content)
		services := &fakeServices{}
		var said bytes.Buffer
		require.ErrorContains(t, Restore(t.Context(), pair, services, path, Insists{Data: true, Unsealed: want != "is of an earlier release"}, &said), want)
		require.Empty(t, services.calls)
		require.NotContains(t, said.String(), "loading")
	}
}

func TestAFileOfAnEarlierReleaseIsRestoredIfSomebodyInsists(t *testing.T) {
	t.Parallel()
	pair := testservers.NewPair(t)
	path := filepath.Join(t.TempDir(), "oms.sql")
	writeText(t, path, oldHeader+string(pair.Engine())+", 2026-11-01T00:00:00Z\nCREATE DATABASE `orders`;\nUSE `orders`;\n"+
		"CREATE TABLE `kept` (id INT PRIMARY KEY, text TEXT);\nINSERT INTO `kept` VALUES (1,''),(2,'');\n"+dbpair.DumpEnd)
	var said bytes.Buffer
	require.NoError(t, Restore(t.Context(), pair, &fakeServices{}, path, insists, &said))
	require.Contains(t, said.String(), "cannot be verified")
	require.Contains(t, digests(t, opened(t, pair.Primary))["orders.kept"], "2 rows")
	require.ErrorIs(t, Check(t.Context(), path, &said), ErrUnsealed)

	// The services cannot be stopped any more, because the command was told to end.
	ctx, cancel := context.WithCancel(t.Context())
	services := &fakeServices{stopping: cancel}
	err := Restore(ctx, pair, services, path, insists, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "the old data is in service")
	require.Equal(t, []string{"stop", "start"}, services.calls)
}

func TestABackupThatFailsLeavesNoFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	err := writeFile(t.Context(), testservers.Shared(t), filepath.Join(folder, "oms.sql"), []string{"missing"}, io.Discard)
	require.ErrorContains(t, err, "missing")
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, entries)
}
