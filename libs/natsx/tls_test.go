package natsx_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

// reasons is a log that keeps the errors.
type reasons struct {
	mutex sync.Mutex
	all   []error
}

func (*reasons) Enabled(context.Context, slog.Level) bool { return true }
func (r *reasons) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r *reasons) WithGroup(string) slog.Handler          { return r }

func (r *reasons) Handle(_ context.Context, record slog.Record) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	record.Attrs(func(attr slog.Attr) bool {
		if err, ok := attr.Value.Any().(error); ok {
			r.all = append(r.all, err)
		}
		return true
	})
	return nil
}

func (r *reasons) get() []error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]error(nil), r.all...)
}

// refusal returns why no connection is made to the server at url. That the server did not answer in time is no reason: the
// machine was busy.
func refusal(t *testing.T, url, caFile string) (reason error) {
	t.Helper()
	require.Eventually(t, func() bool {
		reason = onceRefused(t, url, caFile)
		return !errors.Is(reason, os.ErrDeadlineExceeded)
	}, patient, time.Millisecond)
	return reason
}

// onceRefused returns the reason that is logged. It is logged once however often the client tries.
func onceRefused(t *testing.T, url, caFile string) error {
	t.Helper()
	var log reasons
	conn, err := natsx.Connect(natsx.Config{URL: url, User: "caller", Password: "caller", TLSCAFile: caFile}, slog.New(&log))
	require.NoError(t, err)
	defer conn.Close()
	require.Eventually(t, func() bool { return len(log.get()) > 0 }, patient, time.Millisecond)
	require.False(t, conn.IsConnected())
	_, err = ask(t, conn, "x")
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	return log.get()[0]
}

func TestWithAnAuthorityTheConnectionIsEncryptedAndTheServerVerified(t *testing.T) {
	t.Parallel()
	authority := testservers.NewAuthority(t)
	server := testservers.NewTLSNATS(t, authority)
	config := natsx.Config{URL: server.URL(), User: "caller", Password: "caller", TLSCAFile: authority.File}
	conn, err := natsx.Connect(config, discard)
	require.NoError(t, err)
	defer conn.Close()
	awaitConnected(t, conn, true)
	state, err := conn.TLSConnectionState()
	require.NoError(t, err)
	require.GreaterOrEqual(t, state.Version, uint16(tls.VersionTLS12))
	require.NotEmpty(t, state.VerifiedChains)

	// It is the same after a reconnection.
	require.NoError(t, server.Kill())
	awaitConnected(t, conn, false)
	require.NoError(t, server.Restart(t.Context()))
	awaitConnected(t, conn, true)
	_, err = conn.TLSConnectionState()
	require.NoError(t, err)
}

func TestAServerThatIsNotVerifiedIsNotUsed(t *testing.T) {
	t.Parallel()
	authority := testservers.NewAuthority(t)
	server := testservers.NewTLSNATS(t, authority)
	local := strings.Replace(server.URL(), "127.0.0.1", "localhost", 1)
	require.ErrorAs(t, refusal(t, server.URL(), testservers.NewAuthority(t).File), new(x509.UnknownAuthorityError), "another authority")
	require.ErrorAs(t, refusal(t, local, authority.File), new(x509.HostnameError), "another host")
	require.ErrorAs(t, refusal(t, server.URL(), ""), new(x509.UnknownAuthorityError), "a server that demands TLS of who is not set up for it")
	require.ErrorIs(t, refusal(t, testservers.NewNATS(t, "").URL(), authority.File), nats.ErrSecureConnWanted, "a server without TLS")
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	t.Parallel()
	authority := testservers.NewAuthority(t)
	certificate, err := tls.LoadX509KeyPair(authority.Issue(t, "127.0.0.1"))
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	old := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	outcome := make(chan error, 100)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			_, greetErr := fmt.Fprint(client, "INFO {\"server_id\":\"x\",\"headers\":true,\"max_payload\":1024,\"tls_required\":true}\r\n")
			outcome <- errors.Join(greetErr, tls.Server(client, old).Handshake())
			_ = client.Close()
		}
	}()
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	require.ErrorIs(t, refusal(t, "nats://"+listener.Addr().String(), authority.File), nats.ErrTLS)
	require.Error(t, <-outcome)
}

func TestAnAuthorityThatCannotBeReadIsAMistakeAtTheStart(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.pem")
	_, err := natsx.Connect(natsx.Config{URL: "nats://127.0.0.1:1", TLSCAFile: missing}, discard)
	require.ErrorContains(t, err, missing)
}
