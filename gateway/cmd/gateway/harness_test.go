package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/lifecycle"
	"oms.internal/servers/natsserver"
	"oms.internal/servers/testservers"
)

const patience = time.Minute

// neighbours are the processes that the gateway works with: services that the test plays, and a real NATS server.
type neighbours struct {
	clock     *testkit.Clock // the gateway's
	issuer    *testkit.Issuer
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
	n := &neighbours{
		clock: testkit.NewClock(time.Now()), issuer: testkit.NewIssuer(t), nats: testservers.NewNATS(t, ""),
		verifiers: map[string]*assertion.Verifier{}, revoked: &testkit.Revocations{},
	}
	n.revoked.Fail(errors.New("accounts is not up yet"))
	ok := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }
	n.accounts, n.orders = ok, ok
	accountsServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case jwksPath:
			testkit.WriteKeys(w, n.issuer)
		case accounts.PathRevocations:
			n.revoked.ServeHTTP(w, request)
		default:
			n.accounts(w, request)
		}
	}))
	t.Cleanup(accountsServer.Close)
	ordersServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { n.orders(w, request) }))
	t.Cleanup(ordersServer.Close)

	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, service := range []string{"accounts", "orders"} {
		n.verifiers[service] = assertion.NewVerifier(public, service, n.clock.Now)
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

// token is a valid one of a member's session.
func (n *neighbours) token(t *testing.T, member, session uint64) string {
	t.Helper()
	return n.issuer.Sign(t, testkit.Claims(member, session, n.clock.Now()), nil)
}

// answerRevocations has accounts answer what is revoked.
func (n *neighbours) answerRevocations(t *testing.T) {
	t.Helper()
	n.published = testkit.Connect(t, n.nats.URL(), "accounts")
	require.Eventually(t, n.published.IsConnected, patience, time.Millisecond)
	n.revoked.Fail(nil)
}

// revoke ends a session, as accounts does.
func (n *neighbours) revoke(session uint64) {
	n.revoked.Add(accounts.Revocation{SessionID: session, Until: n.clock.In(time.Hour)})
}

func environ(values map[string]string) []string {
	var environ []string
	for key, value := range values {
		environ = append(environ, key+"="+value)
	}
	return environ
}

// gateway is a process that runs.
type gateway struct {
	addresses

	stop func() // as SIGTERM does; returns when the process has ended
}

// startGateway runs the process, as main does, until the test ends. It does not wait for it to be ready.
func startGateway(t *testing.T, n *neighbours, out io.Writer) gateway {
	t.Helper()
	cfg, err := config.Load[Config](environ(n.env))
	require.NoError(t, err)
	listening := make(chan addresses, 1)
	stop := testservers.Run(t, func(ctx context.Context) error {
		return run(ctx, cfg, lifecycle.NewLogger(out, "gateway", slog.LevelInfo), n.clock.Now, func(a addresses) { listening <- a })
	})
	select {
	case where := <-listening:
		return gateway{addresses: where, stop: stop}
	case <-time.After(patience):
		t.Fatal("the gateway does not listen")
		return gateway{}
	}
}

// startReady runs a gateway with neighbours that all answer.
func startReady(t *testing.T, n *neighbours) gateway {
	t.Helper()
	n.answerRevocations(t)
	g := startGateway(t, n, io.Discard)
	g.awaitReady(t)
	return g
}

// probe asks the admin port, as a health check does.
func (g gateway) probe(t *testing.T) error {
	t.Helper()
	return lifecycle.Probe(t.Context(), g.admin.String(), io.Discard)
}

func (g gateway) awaitReady(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool { return g.probe(t) == nil }, patience, 10*time.Millisecond, "ready")
}

// awaitStatus waits until a read of orders with the token is answered so.
func (g gateway) awaitStatus(t *testing.T, token string, status int) {
	t.Helper()
	require.Eventually(t, func() bool {
		response, _ := g.ask(t, http.MethodGet, "/orders/", token)
		return response.StatusCode == status
	}, patience, 10*time.Millisecond)
}

// ask sends a request; header holds names and values in turn.
func (g gateway) ask(t *testing.T, method, path, token string, header ...string) (*http.Response, string) {
	t.Helper()
	return askAt(t, g.public, method, path, token, header...)
}

// askAdmin reads from the admin port.
func (g gateway) askAdmin(t *testing.T, path string) string {
	t.Helper()
	_, body := askAt(t, g.admin, http.MethodGet, path, "")
	return body
}

func askAt(t *testing.T, address net.Addr, method, path, token string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address.String()+path, nil)
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Token "+token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

// read asks for orders. Unlike ask, it may be called from any goroutine.
func (g gateway) read(ctx context.Context, token string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.public.String()+"/orders/", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Token "+token)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}

// dial opens a connection to the public port. It is closed with the test.
func (g gateway) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.public.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// exchange sends text, and then body where the gateway asks for one, and returns the last answer.
func exchange(t *testing.T, conn net.Conn, text, body string) *http.Response {
	t.Helper()
	reader := bufio.NewReader(conn)
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
	answer, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	if answer.StatusCode == http.StatusContinue && body != "" {
		_, err = io.WriteString(conn, body)
		require.NoError(t, err)
		answer, err = http.ReadResponse(reader, nil)
		require.NoError(t, err)
	}
	require.NoError(t, answer.Body.Close())
	return answer
}

// lines joins the lines of a request's head.
func lines(head ...string) string { return strings.Join(head, "\r\n") + "\r\n\r\n" }
