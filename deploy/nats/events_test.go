package nats_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/events"
	"oms.internal/libs/mysqlx"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

var discard = slog.New(slog.DiscardHandler)

// database is a schema as the orders service has it.
func database(t *testing.T) *mysqlx.Cluster {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	config := mysqlx.Config{
		Hosts: []string{pair.Primary.Addr()}, Database: schema.Name, User: schema.Migrate.User, Password: schema.Migrate.Password,
	}
	require.NoError(t, mysqlx.Migrate(t.Context(), config, os.DirFS("../../sql/orders/migrations"), discard))
	config.User, config.Password = schema.App.User, schema.App.Password
	cluster, err := mysqlx.Open(config, discard)
	require.NoError(t, err)
	testservers.Run(t, cluster.Run)
	require.Eventually(t, func() bool { return cluster.Ready() == nil }, patience, 10*time.Millisecond)
	return cluster
}

func tell(t *testing.T, db *mysqlx.Cluster, service, kind string) {
	t.Helper()
	event, err := events.New(service, kind, "7", time.Now(), accounts.EventData{MemberID: 7})
	require.NoError(t, err)
	appendTo(t, db, event)
}

func appendTo(t *testing.T, db *mysqlx.Cluster, event events.Event) {
	t.Helper()
	require.NoError(t, db.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		return events.Append(ctx, tx, event)
	}))
}

// consume returns the events of a subject as a service hears them.
func consume(t *testing.T, db *mysqlx.Cluster, conn *nats.Conn, service, subject string) <-chan events.Event {
	t.Helper()
	heard := make(chan events.Event, 10)
	options := events.ConsumerOptions{Durable: service, Subject: subject, Log: discard}
	testservers.Run(t, events.NewConsumer(db, conn, options, func(_ context.Context, _ mysqlx.Writer, event events.Event) error {
		heard <- event
		return nil
	}).Run)
	return heard
}

func TestTheRightsAreEnoughForEvents(t *testing.T) {
	t.Parallel()
	server, secrets := start(t)
	conns := map[string]*nats.Conn{}
	dbs := map[string]*mysqlx.Cluster{}
	for _, service := range []string{accounts.Service, orders.Service} {
		conns[service], dbs[service] = process(t, server, secrets, service), database(t)
		relay := events.NewRelay(dbs[service], conns[service], events.RelayOptions{Log: discard})
		testservers.Run(t, relay.Run)
		tell(t, dbs[service], service, accounts.EventCreated)
		tell(t, dbs[service], service, accounts.EventDeleted)
	}
	handled := consume(t, dbs[orders.Service], conns[orders.Service], orders.Service, deleted)
	require.Equal(t, "oms.accounts.deleted.v1", (<-handled).Type)
	looks := consume(t, dbs[accounts.Service], conns[accounts.Service], accounts.Service, audited)
	audit, err := events.NewAudit(orders.Service, time.Now(), orders.AuditData{Actor: 7})
	require.NoError(t, err)
	appendTo(t, dbs[orders.Service], audit)
	require.Equal(t, audited, (<-looks).Type)
	earlier := consume(t, dbs[accounts.Service], conns[accounts.Service], accounts.Service, auditedBefore)
	tell(t, dbs[orders.Service], orders.Service, orders.EventAudited)
	require.Equal(t, "oms.orders.audited.v1", (<-earlier).Type, "the release before tells so")
	require.NoError(t, server.Restart(t.Context()))
	tell(t, dbs[accounts.Service], accounts.Service, accounts.EventDeleted)
	require.Equal(t, "oms.accounts.deleted.v1", (<-handled).Type, "as before, once NATS is back")

	// What operators see of it.
	client, err := jetstream.New(process(t, server, secrets, "ops"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stream, err := client.Stream(t.Context(), events.Stream)
		return err == nil && stream.CachedInfo().State.Msgs == 6
	}, patience, 10*time.Millisecond)
	stream, err := client.Stream(t.Context(), events.Stream)
	require.NoError(t, err)
	_, err = stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		consumer, err := stream.Consumer(t.Context(), orders.Service)
		return err == nil && consumer.CachedInfo().NumAckPending == 0 && consumer.CachedInfo().NumPending == 0
	}, patience, 10*time.Millisecond, "everything is acknowledged")
	auditStream, err := client.Stream(t.Context(), events.AuditStream)
	require.NoError(t, err)
	require.EqualValues(t, 1, auditStream.CachedInfo().State.Msgs, "apart from the others")
	settings := stream.CachedInfo().Config
	settings.MaxAge *= 2
	_, err = client.UpdateStream(t.Context(), settings)
	require.NoError(t, err)
	for user, conn := range conns {
		if err := conn.LastError(); err != nil {
			require.NotErrorIs(t, err, nats.ErrPermissionViolation, user)
		}
	}
}

func TestAuditEventsThatWaitAfterAReturnToTheReleaseBeforeReachItsAccountsByTheCommandOfRecovery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := configure(t, dir, "")
	config, err := os.ReadFile(file)
	require.NoError(t, err)
	config = regexp.MustCompile(`,?\s*"[^"\n]*(OMS_AUDIT|oms\.audit)[^"\n]*"`).ReplaceAll(config, nil)
	require.NoError(t, os.WriteFile(file, config, 0o600))
	server, err := natsserver.Start(t.Context(), natsserver.Options{ConfigFile: file})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	secrets := filepath.Join(dir, "secrets")

	db := database(t)
	audit, err := events.NewAudit(orders.Service, time.Now(), orders.AuditData{Actor: 7})
	require.NoError(t, err)
	appendTo(t, db, audit)
	tell(t, db, orders.Service, orders.EventCreated)
	testservers.Run(t, events.NewRelay(db, process(t, server, secrets, orders.Service), events.RelayOptions{Log: discard}).Run)
	waiting := func() (subjects string) {
		require.NoError(t, db.ReadLatest(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			query := "SELECT COALESCE(GROUP_CONCAT(subject), '') FROM outbox WHERE published_at IS NULL"
			return reader.QueryRowContext(ctx, query).Scan(&subjects)
		}))
		return subjects
	}
	require.Eventually(t, func() bool { return waiting() == audited }, patience, 10*time.Millisecond)

	page, err := os.ReadFile("../RECOVERY.md")
	require.NoError(t, err)
	command := regexp.MustCompile("`UPDATE orders\\.(outbox [^`]*)`").FindSubmatch(page)
	require.NotNil(t, command)
	require.NoError(t, db.Write(t.Context(), func(ctx context.Context, tx mysqlx.Writer) error {
		_, err := tx.ExecContext(ctx, "UPDATE "+string(command[1]))
		return err
	}))
	looks := consume(t, database(t), process(t, server, secrets, accounts.Service), accounts.Service, auditedBefore)
	require.Equal(t, audit.ID, (<-looks).ID)
}

func TestWhatIsAcknowledgedIsOnTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := configure(t, dir, `http: "127.0.0.1:-1"`)
	server, err := natsserver.Start(t.Context(), natsserver.Options{ConfigFile: file, Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	logs, err := filepath.Glob(filepath.Join(dir, "oms-nats-*", "nats.log"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	log, err := os.ReadFile(logs[0])
	require.NoError(t, err)
	monitor := regexp.MustCompile(`Starting http monitor on (\S+)`).FindSubmatch(log)
	require.NotNil(t, monitor)
	answer, err := http.Get("http://" + string(monitor[1]) + "/jsz")
	require.NoError(t, err)
	defer answer.Body.Close()
	var settings struct {
		Config struct {
			SyncAlways bool `json:"sync_always"`
		} `json:"config"`
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&settings))
	require.True(t, settings.Config.SyncAlways)
}
