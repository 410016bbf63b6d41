package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/natsx"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// patience is how long a test waits for what should happen within a second or two.
const patience = 30 * time.Second

// poll is how often it looks.
const poll = 10 * time.Millisecond

// process is the whole service, started as main starts it, on a schema, a NATS server and an accounts service of one
// test's own.
type process struct {
	cfg       Config
	addresses Addresses
	schema    dbpair.Schema
	pair      *dbpair.Pair
	broker    *natsserver.Server
	conn      *nats.Conn // of another service
	accounts  *accountsService
	key       ed25519.PrivateKey
	signer    *assertion.Signer
	client    *http.Client
	root      *sql.DB // on the primary, in the schema

	cancel context.CancelFunc
	ended  func() error // waits for the end
}

// start starts a process on the pair that the tests share and waits until it is ready.
func start(t *testing.T) *process {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	return startOn(t, pair, schema)
}

func startOn(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) *process {
	t.Helper()
	broker := testservers.NewNATS(t, "jetstream {}")
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p := &process{
		schema: schema, pair: pair, broker: broker, key: private, signer: assertion.NewSigner(private, time.Now),
		client: &http.Client{Transport: &http.Transport{}, Timeout: patience},
		cfg:    configuration(t, pair, schema, broker.URL(), writeKey(t, public)),
	}
	p.conn = connect(t, broker.URL())
	p.accounts = serveAccounts(t, p.conn)
	p.root, err = pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.root.Close()) })
	p.run(t)
	return p
}

func configuration(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema, natsURL, keyFile string) Config {
	t.Helper()
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	return Config{
		HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", ShutdownTimeout: patience, RequestTimeout: patience,
		MySQLHosts: strings.Split(pair.Hosts(), ","), MySQLDatabase: schema.Name, MigrateOnStart: true,
		MySQLUser: schema.App.User, MySQLPassword: config.Secret(schema.App.Password),
		MySQLMigrateUser: schema.Migrate.User, MySQLMigratePassword: config.Secret(schema.Migrate.Password),
		NATSURL: natsURL, NATSUser: "orders", EventsReplicas: 1, PrincipalKeyFile: keyFile, TimeZone: config.TimeZone{Location: seoul},
	}
}

func writeKey(t *testing.T, key ed25519.PublicKey) string {
	t.Helper()
	encoded, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "principal.pub.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}), 0o600))
	return path
}

func connect(t *testing.T, url string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: url, User: "accounts"}, quiet())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// run starts the process and waits until it is ready.
func (p *process) run(t *testing.T) {
	t.Helper()
	p.launch(t)
	require.Eventually(t, func() bool { return p.readiness(t) == http.StatusOK }, patience, poll)
}

// launch starts the process and sees to it that it has ended, without an error, when the test has.
func (p *process) launch(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, failed := make(chan Addresses, 1), make(chan error, 1)
	go func() {
		failed <- run(ctx, p.cfg, quiet(), func(addresses Addresses) { listening <- addresses })
	}()
	p.cancel, p.ended = cancel, sync.OnceValue(func() error { return <-failed })
	t.Cleanup(func() {
		p.cancel()
		p.client.CloseIdleConnections()
		require.NoError(t, p.ended())
	})
	select {
	case p.addresses = <-listening:
	case err := <-failed:
		failed <- nil
		require.NoError(t, err, "the process ended instead of listening")
	}
}

// readiness is the status of /readyz, 0 once the admin port is closed.
func (p *process) readiness(t *testing.T) int {
	t.Helper()
	response, err := p.client.Get("http://" + p.addresses.Admin.String() + "/readyz")
	if err != nil {
		return 0
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// orders is how many orders there are.
func (p *process) orders(t *testing.T) int {
	t.Helper()
	return p.count(t, "orders")
}

// count is how many rows a table has.
func (p *process) count(t *testing.T, table string) int {
	t.Helper()
	var count int
	require.NoError(t, p.root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count))
	return count
}
