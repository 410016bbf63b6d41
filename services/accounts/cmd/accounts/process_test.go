package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"log/slog"
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
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) { testservers.Main(m) }

// patience is how long a test waits for what happens at once on an idle machine.
const patience = servicetest.Patience

// surroundings are what the process runs in, with keys to sign tokens and the connection of another process.
type surroundings struct {
	servicetest.Surroundings
	cfg  Config
	db   *sql.DB // the service's user on the primary
	conn *nats.Conn
}

var discard = slog.New(slog.DiscardHandler)

func newSurroundings(t *testing.T) *surroundings {
	t.Helper()
	s := &surroundings{Surroundings: servicetest.New(t, accounts.Service)}
	keys := t.TempDir()
	_, signing, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	writeKey(t, filepath.Join(keys, "20260101T000000.pem"), signing)
	s.cfg = Config{
		Config: s.Config, IdempotencySecret: config.Secret(strings.Repeat("s", vault.MinSecret)), TokenKeysDir: keys,
		LastOrdersTimeout: patience, TokenLifetime: 10 * time.Hour, RefreshLifetime: 720 * time.Hour,
		TokenIssuer: "oms", TokenAudience: "oms", Directory: account.DirectoryMasked,
	}
	s.db, err = s.Pair.Primary.Open(s.Schema.App.User, s.Schema.App.Password, s.Schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	s.conn, err = natsx.Connect(natsx.Config{URL: s.Broker.URL(), User: "test"}, discard)
	require.NoError(t, err)
	t.Cleanup(s.conn.Close)
	require.Eventually(t, s.conn.IsConnected, time.Minute, 5*time.Millisecond)
	return s
}

func writeKey(t *testing.T, path string, key ed25519.PrivateKey) {
	t.Helper()
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600))
}

// process is a running service.
type process struct {
	*surroundings
	*servicetest.Process
}

// start runs the service and returns once it is ready.
func (s *surroundings) start(t *testing.T) *process {
	t.Helper()
	return &process{s, servicetest.Start(t, program(), s.cfg)}
}

func startProcess(t *testing.T) *process {
	t.Helper()
	return newSurroundings(t).start(t)
}

// sign returns the header with which the gateway hands a principal to this service.
func (s *surroundings) sign(t *testing.T, principal authn.Principal) string {
	t.Helper()
	signed, err := assertion.NewSigner(s.Gateway, time.Now).Sign(principal, "accounts")
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
