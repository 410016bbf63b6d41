// Package servicetest runs a service in a test as its main does, on a database pair and a NATS server that are real. Only
// tests import it.
package servicetest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/service"
	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

const (
	// Patience is how long a test waits for what should happen within a second or two.
	Patience = time.Minute
	// Poll is how often it looks.
	Poll = 10 * time.Millisecond
)

// Surroundings are what a service of one test runs in.
type Surroundings struct {
	Pair   *dbpair.Pair
	Schema dbpair.Schema
	Broker *natsserver.Server
	// Gateway is the key with which the gateway tells the service who asks.
	Gateway ed25519.PrivateKey
	// Config is the part of the configuration that all services have.
	Config service.Config
}

// New returns surroundings for the service called name, with a schema of its own on the pair that the package's tests share.
func New(t *testing.T, name string) Surroundings {
	t.Helper()
	pair, schema := testservers.NewSchema(t)
	return On(t, name, pair, schema)
}

// On is New with a pair that the test brings.
func On(t *testing.T, name string, pair *dbpair.Pair, schema dbpair.Schema) Surroundings {
	t.Helper()
	broker := testservers.NewNATS(t, "jetstream {}")
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	seoul, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	return Surroundings{
		Pair: pair, Schema: schema, Broker: broker, Gateway: private,
		Config: service.Config{
			HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", LogLevel: slog.LevelError, ShutdownTimeout: Patience,
			RequestTimeout: Patience, // a slow machine fails no test
			MySQLHosts:     strings.Split(pair.Hosts(), ","), MySQLDatabase: schema.Name, MigrateOnStart: true,
			MySQLPatience: Patience, MySQLUser: schema.App.User, MySQLPassword: config.Secret(schema.App.Password),
			MySQLMigrateUser: schema.Migrate.User, MySQLMigratePassword: config.Secret(schema.Migrate.Password),
			NATSURL: broker.URL(), NATSUser: name, NATSPassword: config.Secret(rand.Text()), EventsReplicas: 1,
			PrincipalKeyFile: PublicKeyFile(t, public), TimeZone: config.TimeZone{Location: seoul},
		},
	}
}

// PublicKeyFile writes a key to a file that PRINCIPAL_PUBLIC_KEY_FILE can name.
func PublicKeyFile(t *testing.T, key ed25519.PublicKey) string {
	t.Helper()
	encoded, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return File(t, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})))
}

// File writes a file that the test leaves behind nowhere.
func File(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// Environ is the environment that makes a process read Config.
func Environ(t *testing.T, cfg service.Config) []string {
	t.Helper()
	return []string{
		"HTTP_ADDR=" + cfg.HTTPAddr, "ADMIN_ADDR=" + cfg.AdminAddr, "LOG_LEVEL=" + cfg.LogLevel.String(),
		"MYSQL_HOSTS=" + strings.Join(cfg.MySQLHosts, ","), "MYSQL_DATABASE=" + cfg.MySQLDatabase,
		"MYSQL_USER=" + cfg.MySQLUser, "MYSQL_PASSWORD_FILE=" + File(t, string(cfg.MySQLPassword)+"\n"),
		"MYSQL_MIGRATE_USER=" + cfg.MySQLMigrateUser,
		"MYSQL_MIGRATE_PASSWORD_FILE=" + File(t, string(cfg.MySQLMigratePassword)+"\n"),
		"NATS_URL=" + cfg.NATSURL, "NATS_PASSWORD_FILE=" + File(t, string(cfg.NATSPassword)+"\n"),
		"PRINCIPAL_PUBLIC_KEY_FILE=" + cfg.PrincipalKeyFile,
	}
}

// Process is a service that runs.
type Process struct {
	service.Addresses
	// Cancel asks the process to end, as SIGTERM does.
	Cancel context.CancelFunc
	// Ended waits for the end and returns what Serve returned.
	Ended func() error
}

// Launch starts a service and returns when it has taken its ports. When the test ends, the process must end without an
// error.
func Launch[C interface{ Common() service.Config }](t *testing.T, program service.Program[C], cfg C) *Process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	taken, ended := make(chan service.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- program.Serve(ctx, cfg, slog.New(slog.DiscardHandler), func(addresses service.Addresses) { taken <- addresses })
	}()
	p := &Process{Cancel: cancel, Ended: sync.OnceValue(func() error { return <-ended })}
	select {
	case p.Addresses = <-taken:
	case err := <-ended:
		cancel()
		require.FailNow(t, "the process ended at once", "%v", err)
	}
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

// Start is Launch, and returns when the service is ready.
func Start[C interface{ Common() service.Config }](t *testing.T, program service.Program[C], cfg C) *Process {
	t.Helper()
	p := Launch(t, program, cfg)
	require.Eventually(t, func() bool { return p.Readiness() == http.StatusOK }, Patience, Poll)
	return p
}

// Stop ends the process as SIGTERM does.
func (p *Process) Stop() error {
	p.Cancel()
	return p.Ended()
}

// Readiness is the status of /readyz, 0 where the admin port is closed.
func (p *Process) Readiness() int {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+p.Admin.String()+"/readyz", nil)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
