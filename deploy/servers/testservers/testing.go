package testservers

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/servers/dbpair"
	"oms.internal/servers/natsserver"
)

// testTimeout bounds the start of servers in a test. It is far above what MySQL's containers need on a busy machine.
const testTimeout = 6 * time.Minute

var shared struct {
	once sync.Once
	pair *dbpair.Pair
	err  error
}

// Main runs a package's tests and then ends the servers that they share. It does not return:
//
//	func TestMain(m *testing.M) { testservers.Main(m) }
func Main(tests *testing.M) {
	code := tests.Run()
	if shared.pair != nil {
		if err := shared.pair.Close(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "testservers:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Shared returns the pair that all tests of a package share. The first call starts it, and Main ends it. A test that stops or pauses a
// server must use NewPair instead.
func Shared(t testing.TB) *dbpair.Pair {
	t.Helper()
	shared.once.Do(func() { shared.pair, shared.err = startTestPair(dbpair.Options{}) })
	require.NoError(t, shared.err)
	return shared.pair
}

// NewSchema makes a schema of this test's own in the shared pair.
func NewSchema(t testing.TB) (*dbpair.Pair, dbpair.Schema) {
	t.Helper()
	pair := Shared(t)
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	schema, err := pair.CreateSchema(ctx)
	require.NoError(t, err)
	return pair, schema
}

// NewPair starts a pair for this test only. It ends with the test.
func NewPair(t testing.TB) *dbpair.Pair {
	t.Helper()
	return newPair(t, dbpair.Options{})
}

// NewTLSPair is NewPair with servers that offer TLS, with a certificate for 127.0.0.1 from authority.
func NewTLSPair(t testing.TB, authority *Authority) *dbpair.Pair {
	t.Helper()
	var options dbpair.Options
	options.CertFile, options.KeyFile = authority.Issue(t, "127.0.0.1")
	return newPair(t, options)
}

func newPair(t testing.TB, options dbpair.Options) *dbpair.Pair {
	t.Helper()
	pair, err := startTestPair(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pair.Close()) })
	return pair
}

func startTestPair(options dbpair.Options) (*dbpair.Pair, error) {
	var err error
	if options.Engine, err = dbpair.EngineFromEnvironment(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	return dbpair.Start(ctx, options)
}

// NewNATS starts a NATS server for this test only, with a configuration that may be empty. It ends with the test.
func NewNATS(t testing.TB, config string) *natsserver.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	server, err := natsserver.Start(ctx, natsserver.Options{Config: config})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

// NewTLSNATS is NewNATS with a server that demands TLS, with a certificate for 127.0.0.1 from authority.
func NewTLSNATS(t testing.TB, authority *Authority) *natsserver.Server {
	t.Helper()
	cert, key := authority.Issue(t, "127.0.0.1")
	return NewNATS(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", cert, key))
}
