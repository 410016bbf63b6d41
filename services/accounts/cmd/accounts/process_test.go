package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/natsx"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// patience is how long a test waits for what happens at once on an idle machine.
const patience = time.Minute

const brokerConfig = "jetstream {}"

// surroundings are what the process runs in: a database pair, a NATS server, keys, and a gateway that signs principals.
type surroundings struct {
	cfg     Config
	pair    *dbpair.Pair
	schema  dbpair.Schema
	db      *sql.DB // the service's user on the primary
	broker  *natsserver.Server
	conn    *nats.Conn
	gateway ed25519.PrivateKey
}

var discard = slog.New(slog.DiscardHandler)

func newSurroundings(t *testing.T) *surroundings {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	broker := testservers.NewNATS(t, brokerConfig)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	require.NoError(t, os.Mkdir(keys, 0o700))
	_, signing, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	writePEM(t, filepath.Join(keys, "20260101T000000.pem"), "PRIVATE KEY", signing)
	writePEM(t, filepath.Join(dir, "principal.pub.pem"), "PUBLIC KEY", public)

	s := &surroundings{pair: pair, schema: schema, broker: broker, gateway: private}
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	s.cfg = Config{
		HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", ShutdownTimeout: patience,
		RequestTimeout: patience, LastOrdersTimeout: patience,
		MySQLHosts: strings.Split(pair.Hosts(), ","), MySQLDatabase: schema.Name,
		MySQLUser: schema.App.User, MySQLPassword: config.Secret(schema.App.Password),
		MySQLMigrateUser: schema.Migrate.User, MySQLMigratePassword: config.Secret(schema.Migrate.Password),
		MigrateOnStart: true, NATSURL: broker.URL(), NATSUser: "accounts",
		EventsReplicas: 1, IdempotencySecret: config.Secret(strings.Repeat("s", vault.MinSecret)),
		PrincipalKeyFile: filepath.Join(dir, "principal.pub.pem"), TokenKeysDir: keys,
		TokenLifetime: 10 * time.Hour, RefreshLifetime: 720 * time.Hour, TokenIssuer: "oms", TokenAudience: "oms",
		Directory: account.DirectoryMasked, TimeZone: config.TimeZone{Location: seoul},
	}
	s.db, err = pair.Primary.Open(schema.App.User, schema.App.Password, schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	s.conn, err = natsx.Connect(natsx.Config{URL: broker.URL(), User: "test"}, discard)
	require.NoError(t, err)
	t.Cleanup(s.conn.Close)
	require.Eventually(t, s.conn.IsConnected, time.Minute, 5*time.Millisecond)
	return s
}

func writePEM(t *testing.T, path, kind string, key any) {
	t.Helper()
	encode := x509.MarshalPKCS8PrivateKey
	if kind == "PUBLIC KEY" {
		encode = x509.MarshalPKIXPublicKey
	}
	encoded, err := encode(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: encoded}), 0o600))
}

// process is a running service.
type process struct {
	*surroundings
	Addresses
	// stop ends the process as SIGTERM does and returns what run returned.
	stop func() error
}

// start runs the service and returns once it is ready.
func (s *surroundings) start(t *testing.T) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan Addresses, 1), make(chan error, 1)
	go func() { ended <- run(ctx, s.cfg, discard, func(addresses Addresses) { listening <- addresses }) }()
	p := &process{surroundings: s}
	select {
	case p.Addresses = <-listening:
	case err := <-ended:
		cancel()
		require.FailNow(t, "the process ended at once", "%v", err)
	}
	stopped := false
	p.stop = func() error {
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if !stopped {
			require.NoError(t, p.stop())
		}
	})
	require.Eventually(t, func() bool { return p.readiness() == http.StatusOK }, time.Minute, 10*time.Millisecond)
	return p
}

func startProcess(t *testing.T) *process {
	t.Helper()
	return newSurroundings(t).start(t)
}

// readiness is the status that the admin port answers, 0 for none.
func (p *process) readiness() int {
	response, err := http.Get(fmt.Sprintf("http://%s/readyz", p.Admin))
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// sign returns the header with which the gateway hands a principal to this service.
func (s *surroundings) sign(t *testing.T, principal authn.Principal) string {
	t.Helper()
	signed, err := assertion.NewSigner(s.gateway, time.Now).Sign(principal, "accounts")
	require.NoError(t, err)
	return signed
}

// number returns what a query with one number as its result yields.
func (s *surroundings) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	var value int
	require.NoError(t, s.db.QueryRowContext(t.Context(), query, args...).Scan(&value), query)
	return value
}

// content is a digest of members and all that lets them in. That somebody was refused is written elsewhere.
func (s *surroundings) content(t *testing.T) [7]int {
	t.Helper()
	return [7]int{
		s.number(t, "SELECT COUNT(*) FROM members"),
		s.number(t, `SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', id, email, email_key, name, nickname, phone, gender, password_hash, is_admin, is_active))), 0)
			FROM members`),
		s.number(t, "SELECT COUNT(*) FROM sessions"),
		s.number(t, "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NOT NULL"),
		s.number(t, "SELECT COUNT(*) FROM refresh_tokens"),
		s.number(t, "SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NOT NULL"),
		s.number(t, "SELECT latest FROM revocation_counter"),
	}
}
