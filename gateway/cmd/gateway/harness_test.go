package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/lifecycle"
	"oms.internal/libs/natsx"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

const patience = time.Minute

// neighbours are the processes that the gateway works with: services that the test plays, and a real NATS server.
type neighbours struct {
	issuer    *testkit.Issuer
	issuers   []*testkit.Issuer // issuer and its successors, for tests that rotate keys
	jwks      atomic.Pointer[[]*testkit.Issuer]
	verifiers map[string]*assertion.Verifier // by service
	accounts  http.HandlerFunc               // answers all but the keys and the revocations
	orders    http.HandlerFunc
	nats      *natsserver.Server
	revoked   *testkit.Revocations
	published *nats.Conn // as accounts
	env       map[string]string
}

func newNeighbours(t *testing.T) *neighbours {
	t.Helper()
	n := &neighbours{issuer: testkit.NewIssuer(t), nats: testservers.NewNATS(t, ""), verifiers: map[string]*assertion.Verifier{}}
	n.issuers = []*testkit.Issuer{n.issuer}
	n.jwks.Store(&[]*testkit.Issuer{n.issuer})
	n.revoked = &testkit.Revocations{}
	n.revoked.Fail(errors.New("accounts is not up yet"))
	ok := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }
	n.accounts, n.orders = ok, ok
	accountsServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path == jwksPath {
			testkit.WriteKeys(w, *n.jwks.Load()...)
			return
		}
		if request.URL.Path == accounts.PathRevocations {
			n.revoked.ServeHTTP(w, request)
			return
		}
		n.accounts(w, request)
	}))
	t.Cleanup(accountsServer.Close)
	ordersServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		n.orders(w, request)
	}))
	t.Cleanup(ordersServer.Close)

	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, service := range []string{"accounts", "orders"} {
		n.verifiers[service] = assertion.NewVerifier(public, service, time.Now)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	keyFile, passwordFile := filepath.Join(dir, "principal.pem"), filepath.Join(dir, "nats-gateway")
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600))
	require.NoError(t, os.WriteFile(passwordFile, []byte("password-in-a-file\n"), 0o600))
	n.env = map[string]string{
		"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "DRAIN_TIME": "0s",
		"NATS_URL": n.nats.URL(), "NATS_PASSWORD_FILE": passwordFile,
		"ACCOUNTS_URL": accountsServer.URL, "ORDERS_URL": ordersServer.URL,
		"PRINCIPAL_PRIVATE_KEY_FILE": keyFile,
	}
	return n
}

// publishKey adds a key to those that accounts publishes.
func (n *neighbours) publishKey(issuer *testkit.Issuer) {
	published := append(slices.Clone(*n.jwks.Load()), issuer)
	n.jwks.Store(&published)
}

// answerRevocations has accounts answer and publish what is revoked.
func (n *neighbours) answerRevocations(t *testing.T) {
	t.Helper()
	conn, err := natsx.Connect(natsx.Config{URL: n.nats.URL(), User: "accounts"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	require.Eventually(t, conn.IsConnected, patience, time.Millisecond)
	n.published = conn
	n.revoked.Fail(nil)
}

// revoke ends a session, as accounts does, and returns the message that accounts publishes then.
func (n *neighbours) revoke(t *testing.T, session uint64) []byte {
	t.Helper()
	message := n.revoked.Add(accounts.Revocation{SessionID: session, Until: time.Now().Add(time.Hour)})
	encoded, err := json.Marshal(message)
	require.NoError(t, err)
	return encoded
}

// inBackground runs something until the test ends.
func inBackground(t *testing.T, run func(ctx context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
}

func environ(values map[string]string) []string {
	var environ []string
	for key, value := range values {
		environ = append(environ, key+"="+value)
	}
	return environ
}

// startGateway runs the process, as main does, until the test ends. It does not wait for it to be ready.
func startGateway(t *testing.T, n *neighbours, out io.Writer) addresses {
	t.Helper()
	cfg, err := config.Load[Config](environ(n.env))
	require.NoError(t, err)
	listening := make(chan addresses, 1)
	inBackground(t, func(ctx context.Context) error {
		return run(ctx, cfg, lifecycle.NewLogger(out, "gateway", slog.LevelInfo), func(a addresses) { listening <- a })
	})
	select {
	case where := <-listening:
		return where
	case <-time.After(patience):
		t.Fatal("the gateway does not listen")
		return addresses{}
	}
}

func awaitReady(t *testing.T, where addresses) {
	t.Helper()
	require.Eventually(t, func() bool { return lifecycle.Probe(t.Context(), where.admin.String(), io.Discard) == nil },
		patience, 10*time.Millisecond, "ready")
}

// startReady runs a gateway with neighbours that all answer.
func startReady(t *testing.T, n *neighbours) addresses {
	t.Helper()
	n.answerRevocations(t)
	where := startGateway(t, n, io.Discard)
	awaitReady(t, where)
	return where
}

func ask(t *testing.T, where addresses, method, path, token string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+where.public.String()+path, nil)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Token "+token)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}
