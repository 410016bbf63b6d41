package mysqlx_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/mysqlx"
	"oms.internal/libs/mysqlx/mysqlxtest"
	"oms.internal/servers/testservers"
)

// encrypted is a schema on a pair that offers TLS with a certificate for 127.0.0.1.
type encrypted struct {
	schema

	authority *testservers.Authority
}

func newEncrypted(t *testing.T) encrypted {
	t.Helper()
	authority := testservers.NewAuthority(t)
	return encrypted{schema: newSchema(t, testservers.NewTLSPair(t, authority)), authority: authority}
}

// A pair takes seconds to start, so these share one; they leave its servers alone.
func TestWithAnAuthorityConnectionsAreEncryptedAndServersVerified(t *testing.T) {
	t.Parallel()
	schema := newEncrypted(t)
	_, port, err := net.SplitHostPort(schema.pair.Primary.Addr())
	require.NoError(t, err)
	t.Run("servers with a certificate of the authority are used", schema.isUsed)
	t.Run("a certificate of another authority is refused", func(t *testing.T) {
		err := schema.refusal(t, testservers.NewAuthority(t).File, schema.pair.Primary.Addr())
		require.ErrorAs(t, err, new(x509.UnknownAuthorityError))
	})
	t.Run("a certificate for another host is refused", func(t *testing.T) {
		err := schema.refusal(t, schema.authority.File, net.JoinHostPort("localhost", port))
		require.ErrorAs(t, err, new(x509.HostnameError))
	})
	t.Run("a server that hides its TLS is refused and hears nothing", func(t *testing.T) {
		addr, heard := meddle(t, schema.pair.Primary.Addr(), hideTLS)
		require.ErrorIs(t, schema.refusal(t, schema.authority.File, addr), mysql.ErrNoTLS)
		require.Zero(t, heard())
	})
	t.Run("TLS 1.1 is refused", func(t *testing.T) {
		addr, agreed := meddle(t, schema.pair.Primary.Addr(), schema.offerTLS11(t))
		require.Error(t, schema.refusal(t, schema.authority.File, addr))
		require.Zero(t, agreed())
	})
}

func TestWithAnAuthorityAServerThatHasNoCertificateOfItIsRefused(t *testing.T) {
	t.Parallel()
	// MariaDB has no TLS by default, MySQL a certificate of its own making that names no host.
	plain := encrypted{schema: shared(t)}
	err := plain.refusal(t, testservers.NewAuthority(t).File, plain.pair.Primary.Addr())
	require.True(t, errors.Is(err, mysql.ErrNoTLS) || errors.As(err, new(*tls.CertificateVerificationError)), "%v", err)
}

func TestAnAuthorityThatCannotBeReadIsAMistakeAtTheStart(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, []byte("-----BEGIN NOTHING-----\n"), 0o600))
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "missing.pem")} {
		config := mysqlx.Config{Hosts: []string{"127.0.0.1:1"}, TLSCAFile: file}
		_, err := mysqlx.Open(config, discard)
		require.ErrorContains(t, err, file)
		require.ErrorContains(t, mysqlx.Migrate(t.Context(), config, migrations("DO 1"), discard), file)
	}
}

func (e encrypted) isUsed(t *testing.T) {
	config := e.config()
	config.TLSCAFile = e.authority.File
	cluster := mysqlxtest.Open(t, config)
	awaitRead(t, cluster, onReplica)
	for _, read := range []func(context.Context, func(context.Context, mysqlx.Reader) error) error{cluster.ReadLatest, cluster.Read} {
		require.NoError(t, read(t.Context(), func(ctx context.Context, reader mysqlx.Reader) error {
			var name, version string
			err := reader.QueryRowContext(ctx, "SHOW SESSION STATUS LIKE 'Ssl_version'").Scan(&name, &version)
			require.Contains(t, []string{"TLSv1.2", "TLSv1.3"}, version)
			return err
		}))
	}
	require.NoError(t, cluster.Write(t.Context(), insert(1, "x")))
	config.User, config.Password = e.Migrate.User, e.Migrate.Password
	require.NoError(t, mysqlx.Migrate(t.Context(), config, migrations("CREATE TABLE step (id INT NOT NULL)"), discard))
}

// refusal returns why neither a cluster nor a migration uses the server at addr.
func (e encrypted) refusal(t *testing.T, caFile, addr string) error {
	t.Helper()
	config := e.config(addr)
	config.TLSCAFile = caFile
	cluster := run(t, config)
	var refused error
	looked := func() bool {
		refused = cluster.Ready()
		// The first look takes its time; until then the cluster says only that.
		return refused == nil || !errors.Is(refused, mysqlx.ErrNotLookedAt)
	}
	eventually(t, looked)
	require.Error(t, refused)
	_, err := where(t.Context(), cluster.ReadLatest)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	config.User, config.Password = e.Migrate.User, e.Migrate.Password
	require.Error(t, mysqlx.Migrate(ctx, config, migrations("CREATE TABLE never (id INT)"), discard))
	return refused
}

// run runs a cluster until the test ends.
func run(t *testing.T, config mysqlx.Config) *mysqlx.Cluster {
	t.Helper()
	cluster, err := mysqlx.Open(config, discard)
	require.NoError(t, err)
	testservers.Run(t, cluster.Run)
	return cluster
}

// offerTLS11 speaks TLS as old clients and servers do, with the right certificate.
func (e encrypted) offerTLS11(t *testing.T) func(net.Conn, []byte) int {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(e.authority.Issue(t, "127.0.0.1"))
	require.NoError(t, err)
	old := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	return func(client net.Conn, greeting []byte) int {
		request := make([]byte, 4+32) // what asks for TLS
		if _, err := client.Write(greeting); err != nil {
			return 0
		}
		if _, err := client.Read(request); err != nil {
			return 0
		}
		if err := tls.Server(client, old).Handshake(); err == nil {
			return 1
		}
		return 0
	}
}
