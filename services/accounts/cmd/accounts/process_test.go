package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/vault"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/config"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/drf/drftest"
	"oms.internal/libs/natsx"
	"oms.internal/libs/service/servicetest"
	"oms.internal/servers/testservers"
)

func TestMain(m *testing.M) {
	drftest.Main(m, func() int { return program().Main() }, testservers.Main)
}

// patience is how long a test waits for what happens at once on an idle machine.
const patience = servicetest.Patience

const secret = "Jhlee'spwd0"

var anonymous = authn.Principal{}

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
	encoded, err := x509.MarshalPKCS8PrivateKey(signing)
	require.NoError(t, err)
	content := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
	require.NoError(t, os.WriteFile(filepath.Join(keys, "20260101T000000.pem"), content, 0o600))
	s.cfg = Config{
		Config: s.Config, IdempotencySecret: config.Secret(strings.Repeat("s", vault.MinSecret)), TokenKeysDir: keys,
		LastOrdersTimeout: patience, TokenLifetime: 10 * time.Hour, RefreshLifetime: 720 * time.Hour,
		TokenIssuer: "oms", TokenAudience: "oms", Directory: account.DirectoryMasked,
		AuditRetention: account.MinAuditRetention,
	}
	s.db, err = s.Pair.Primary.Open(s.Schema.App.User, s.Schema.App.Password, s.Schema.Name)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.db.Close()) })
	s.conn, err = natsx.Connect(natsx.Config{URL: s.Broker.URL(), User: "test"}, discard)
	require.NoError(t, err)
	t.Cleanup(s.conn.Close)
	require.Eventually(t, s.conn.IsConnected, patience, servicetest.Poll)
	return s
}

// environ is the environment that configures the process as cfg does.
func (s *surroundings) environ(t *testing.T) []string {
	t.Helper()
	return append(servicetest.Environ(t, s.cfg.Config),
		"IDEMPOTENCY_SECRET_FILE="+servicetest.File(t, string(s.cfg.IdempotencySecret)+"\n"),
		"TOKEN_KEYS_DIR="+s.cfg.TokenKeysDir, "PATH=/usr/bin")
}

// number returns what a query with one number as its result yields.
func (s *surroundings) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	var value int
	require.NoError(t, s.db.QueryRowContext(t.Context(), query, args...).Scan(&value), query)
	return value
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

// answer is what the process answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// request makes a request as the gateway does for a caller. A body is JSON.
func (p *process) request(t *testing.T, caller authn.Principal, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://%s%s", p.HTTP, path), strings.NewReader(body))
	require.NoError(t, err)
	signed, err := assertion.NewSigner(p.Gateway, time.Now).Sign(caller, accounts.Service)
	require.NoError(t, err)
	request.Header.Set(assertion.Header, signed)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

// answerTo sends a request. Other goroutines than the test's may call it.
func answerTo(request *http.Request) (answer, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: string(content)}, err
}

// do sends a request of a caller, and again while the process says that it is busy (503), as clients do: where the machine is
// busy, the process loses sight of its database for a moment.
func (p *process) do(t *testing.T, caller authn.Principal, method, path, body string, headers ...string) (got answer) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		got, err = answerTo(p.request(t, caller, method, path, body, headers...))
		require.NoError(t, err, "%s %s", method, path)
		return got.status != http.StatusServiceUnavailable
	}, patience, servicetest.Poll, "%s %s", method, path)
	return got
}

// decode reads a JSON body.
func decode[Value any](t *testing.T, body string) (value Value) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &value), "%s", body)
	return value
}

// signUpBody is a complete body of a sign-up.
func signUpBody(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q,"name":"김선기","nickname":"sungi","phone":"01083574364"}`, email, secret)
}

// signUp creates a member and returns it as a caller.
func (p *process) signUp(t *testing.T, email string) authn.Principal {
	t.Helper()
	got := p.do(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email))
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	return principal(t, got)
}

func (p *process) logIn(t *testing.T, email, password string) answer {
	t.Helper()
	return p.do(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
}

// principal is what the gateway makes of the token in an answer.
func principal(t *testing.T, login answer) authn.Principal {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(decode[struct{ Token string }](t, login.body).Token, jwt.MapClaims{})
	require.NoError(t, err)
	claims := parsed.Claims.(jwt.MapClaims)
	number := func(name string) uint64 {
		text, _ := claims[name].(string)
		value, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, name)
		return value
	}
	admin, _ := claims["adm"].(bool)
	return authn.Principal{MemberID: number("sub"), SessionID: number("sid"), Admin: admin}
}

func userPath(id uint64) string { return fmt.Sprintf("/accounts/users/%d", id) }

// listen collects what is published on a subject from now on.
func (s *surroundings) listen(t *testing.T, subject string) *nats.Subscription {
	t.Helper()
	subscription, err := s.conn.SubscribeSync(subject)
	require.NoError(t, err)
	require.NoError(t, s.conn.Flush())
	return subscription
}

// next is the next message on a subscription.
func next[Value any](t *testing.T, subscription *nats.Subscription) Value {
	t.Helper()
	message, err := subscription.NextMsg(patience)
	require.NoError(t, err)
	return decode[Value](t, string(message.Data))
}
