package events_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/libs/natsx"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

const (
	patient  = time.Minute // for what takes much less unless something is broken
	patience = 5 * time.Millisecond

	// durable stores like the real configuration: what is acknowledged is on the disk.
	durable = "jetstream { sync_interval: always }"
)

var discard = slog.New(slog.DiscardHandler)

// world is a schema with the tables of events, and a table of their effects, and a NATS server with JetStream.
type world struct {
	root   *sql.DB // on the primary
	config mysqlx.Config
	nats   *natsserver.Server
}

func newWorld(t testing.TB) world {
	t.Helper()
	return worldOn(t, testservers.Shared(t))
}

func worldOn(t testing.TB, pair *dbpair.Pair) world {
	t.Helper()
	made, err := pair.CreateSchema(t.Context())
	require.NoError(t, err)
	root, err := pair.Primary.Open(made.Migrate.User, made.Migrate.Password, made.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	for _, statement := range []string{
		"CREATE TABLE heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, beat BIGINT UNSIGNED NOT NULL, epoch BIGINT UNSIGNED NOT NULL DEFAULT 0)",
		"INSERT INTO heartbeat (id, beat) VALUES (1, 0)",
		migration(t, "outbox"), migration(t, "inbox"),
		"CREATE TABLE effect (id INT AUTO_INCREMENT PRIMARY KEY, event_id CHAR(26) NOT NULL, subject VARCHAR(50) NOT NULL)",
	} {
		_, err := root.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, pair.Sync(t.Context()))
	return world{
		root: root,
		config: mysqlx.Config{
			Hosts: []string{pair.Primary.Addr(), pair.Replica.Addr()}, User: made.App.User, Password: made.App.Password, Database: made.Name,
		},
		nats: testservers.NewNATS(t, durable),
	}
}

// migration is how the services make a table.
func migration(t testing.TB, table string) string {
	t.Helper()
	text, err := os.ReadFile("../../sql/orders/migrations/00003_idempotency_and_events.sql")
	require.NoError(t, err)
	found := regexp.MustCompile(`(?s)CREATE TABLE ` + table + ` .*?;`).FindString(string(text))
	require.NotEmpty(t, found)
	return found
}

// database is a service's way to its tables. It counts its transactions, and can be made to lose some at their end.
type database struct {
	*mysqlx.Cluster

	writes, losses atomic.Int64
}

var errLost = errors.New("the process was killed before it committed")

func (d *database) Write(ctx context.Context, work func(context.Context, mysqlx.Writer) error) error {
	d.writes.Add(1)
	return d.Cluster.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error {
		err := work(ctx, tx)
		if err == nil && d.losses.Add(-1) >= 0 {
			return errLost
		}
		return err
	})
}

// lose has the next transactions roll back at the moment of their COMMIT, as when the process is killed.
func (d *database) lose(count int64) { d.losses.Store(count) }

func (w world) open(t testing.TB) *database {
	t.Helper()
	return &database{Cluster: mysqlxtest.Open(t, w.config)}
}

func (w world) connect(t testing.TB) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: w.nats.URL(), User: "test", Password: "test"}, discard)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func (w world) relay(t testing.TB, db *database, log *slog.Logger) (stop func()) {
	t.Helper()
	relay := events.NewRelay(db, w.connect(t), events.RelayOptions{Log: log})
	relay.SetEndPatience(patient)
	return testservers.Run(t, relay.Run)
}

func (w world) consumer(t *testing.T, db *database, log *slog.Logger, handle func(context.Context, mysqlx.Writer, events.Event) error) *events.Consumer {
	t.Helper()
	consumer := events.NewConsumer(db, w.connect(t), events.ConsumerOptions{
		Durable: "orders", Subject: events.SubjectOf("accounts", "deleted"), Log: log,
	}, handle)
	consumer.SetRetries(100*time.Millisecond, 3, 0)
	consumer.SetEndPatience(patient)
	return consumer
}

func newEvent(t testing.TB, subject string) events.Event {
	t.Helper()
	event, err := events.New("accounts", "deleted", subject, time.Now(), map[string]string{"id": subject})
	require.NoError(t, err)
	return event
}

// tell appends events, each in a transaction of its own, and returns their ids.
func tell(t testing.TB, db *database, count int) (ids []string) {
	t.Helper()
	for i := range count {
		event := newEvent(t, fmt.Sprint(i))
		require.NoError(t, appendTo(t.Context(), db, event))
		ids = append(ids, event.ID)
	}
	return ids
}

func appendTo(ctx context.Context, db *database, event events.Event) error {
	return db.Cluster.Write(ctx, func(ctx context.Context, tx mysqlx.Writer) error { return events.Append(ctx, tx, event) })
}

// note is a function for consumers whose effect is a row.
func note(ctx context.Context, tx mysqlx.Writer, event events.Event) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO effect (event_id, subject) VALUES (?, ?)", event.ID, event.Subject)
	return err
}

func (w world) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var count int
	require.NoError(t, w.root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+query, args...).Scan(&count))
	return count
}

func (w world) await(t *testing.T, wanted int, query string) {
	t.Helper()
	require.Eventually(t, func() bool { return w.count(t, query) == wanted }, patient, 20*time.Millisecond, query)
}

const waiting = "outbox WHERE published_at IS NULL"

// stream is the messages of the stream so far, oldest first.
func (w world) stream(t *testing.T) (messages []*jetstream.RawStreamMsg) {
	t.Helper()
	conn, err := nats.Connect(w.nats.URL())
	require.NoError(t, err)
	defer conn.Close()
	client, err := jetstream.New(conn)
	require.NoError(t, err)
	stream, err := client.Stream(t.Context(), events.Stream)
	require.NoError(t, err)
	for sequence := stream.CachedInfo().State.FirstSeq; sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		message, err := stream.GetMsg(t.Context(), sequence)
		require.NoError(t, err)
		messages = append(messages, message)
	}
	return messages
}

// ids are those of the events in the stream.
func (w world) ids(t *testing.T) (ids []string) {
	t.Helper()
	for _, message := range w.stream(t) {
		ids = append(ids, message.Header.Get(nats.MsgIdHdr))
	}
	return ids
}

// records is a log that counts its lines.
type records struct {
	mutex sync.Mutex
	lines map[string]int
}

func newLog() (*slog.Logger, *records) {
	handler := &records{lines: map[string]int{}}
	return slog.New(handler), handler
}

func (*records) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }
func (r *records) WithAttrs([]slog.Attr) slog.Handler             { return r }
func (r *records) WithGroup(string) slog.Handler                  { return r }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lines[record.Message]++
	return nil
}

func (r *records) count(line string) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.lines[line]
}
