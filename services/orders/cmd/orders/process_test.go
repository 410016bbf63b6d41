package main

import (
	"database/sql"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/drf/drftest"
	"oms.internal/libs/natsx"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) {
	drftest.Main(m, func() int { return program().Main() }, testservers.Main)
}

const (
	patience = servicetest.Patience
	poll     = servicetest.Poll
)

// process is the whole service, with an accounts service of the test's own.
type process struct {
	servicetest.Surroundings
	*servicetest.Process
	cfg      Config
	conn     *nats.Conn // of another service
	accounts *accountsService
	signer   *assertion.Signer
	client   *http.Client
	root     *sql.DB // on the primary, in the schema
}

// start starts a process on the pair that the tests share and waits until it is ready.
func start(t *testing.T) *process {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	return startOn(t, pair, schema)
}

func startOn(t *testing.T, pair *dbpair.Pair, schema dbpair.Schema) *process {
	t.Helper()
	p := &process{
		Surroundings: servicetest.On(t, orders.Service, pair, schema),
		client:       &http.Client{Transport: &http.Transport{}, Timeout: patience},
	}
	t.Cleanup(p.client.CloseIdleConnections)
	p.cfg, p.signer = Config{p.Config}, assertion.NewSigner(p.Gateway, time.Now)
	p.conn = connect(t, p.Broker.URL())
	p.accounts = serveAccounts(t, p.conn)
	var err error
	p.root, err = pair.Primary.Open("root", pair.RootPassword, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.root.Close()) })
	p.run(t)
	return p
}

func connect(t *testing.T, url string) *nats.Conn {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: url, User: "accounts"}, quiet())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// run starts the process, again where it has ended, and waits until it is ready.
func (p *process) run(t *testing.T) {
	t.Helper()
	p.Process = servicetest.Start(t, program(), p.cfg)
}

// count is how many rows a table has.
func (p *process) count(t *testing.T, table string) int {
	t.Helper()
	var count int
	require.NoError(t, p.root.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&count))
	return count
}
