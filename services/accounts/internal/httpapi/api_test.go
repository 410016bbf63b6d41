package httpapi_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/accounts/internal/account/accounttest"
	"oms.internal/accounts/internal/httpapi"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/httpx"
)

const (
	secret    = "Jhlee'spwd0"
	wrong     = "Wrong'pwd00"
	mediaType = "application/json"
	address   = "203.0.113.7"
	userAgent = "Browser/1"
	noon      = "2026-11-23T21:00:00.123456+09:00"
)

var anonymous = authn.Principal{Address: address}

// api is the HTTP surface on fakes, with the gateway's key.
type api struct {
	store   *accounttest.Store
	clock   *accounttest.Clock
	orders  *accounttest.Orders
	app     *fiber.App
	service *account.Service
	key     ed25519.PrivateKey
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return newAPIWith(t, account.DirectoryMasked)
}

func newAPIWith(t *testing.T, directory account.Directory) *api {
	t.Helper()
	a := &api{
		store: accounttest.NewStore(), orders: &accounttest.Orders{},
		clock: accounttest.NewClock(time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)),
	}
	deps := accounttest.Dependencies(a.store, a.clock)
	deps.Orders, deps.Directory = a.orders, directory
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	a.key = private
	a.app = httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: time.Minute, TrustRequestID: true,
	})
	keys := func() []byte { return []byte(`{"keys":[]}`) }
	a.service = account.NewService(deps)
	httpapi.New(a.service, keys, time.FixedZone("Seoul", 9*60*60), prometheus.NewRegistry()).Register(
		a.app, assertion.NewVerifier(public, accounts.Service, time.Now), func(c *fiber.Ctx) error { return c.Next() })
	return a
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request with the headers given as names and values. signed is the gateway's word for who asks.
func (a *api) send(t *testing.T, signed, method, path, body string, headers ...string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("User-Agent", userAgent)
	if body != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	if signed != "" {
		request.Header.Set(assertion.Header, signed)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := a.app.Test(request, -1)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{status: response.StatusCode, header: response.Header, body: string(content)}
}

func (a *api) sign(t *testing.T, caller authn.Principal) string {
	t.Helper()
	signed, err := assertion.NewSigner(a.key, time.Now).Sign(caller, accounts.Service)
	require.NoError(t, err)
	return signed
}

// ask sends a request as the gateway does for a caller.
func (a *api) ask(t *testing.T, caller authn.Principal, method, path, body string, headers ...string) answer {
	t.Helper()
	return a.send(t, a.sign(t, caller), method, path, body, headers...)
}

// object decodes the body.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &object), "%s", a.body)
	return object
}

// revocations is what an answer tells the gateway.
func (a answer) revocations(t *testing.T) []accounts.Revocation {
	t.Helper()
	var message accounts.Revocations
	if text := a.header.Get(accounts.HeaderRevocations); text != "" {
		require.NoError(t, json.Unmarshal([]byte(text), &message))
	}
	return message.Revocations
}

// internals are words that only our side of the surface knows.
var internals = []string{"mysql", "mariadb", "select ", "insert ", "sqlstate", "127.0.0.1", "goroutine", ".go", "strconv", "unmarshal", "nats", "panic"}

// problem decodes a refusal and checks that it has the documented form and tells nothing of what is inside.
func (a answer) problem(t *testing.T) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%s", a.body)
	problem := a.object(t)
	require.InDelta(t, a.status, problem["status"], 0)
	require.Equal(t, http.StatusText(a.status), problem["title"])
	require.IsType(t, "", problem["detail"])
	require.Regexp(t, `^urn:oms:fault:[a-z_]+$`, problem["type"])
	for _, word := range internals {
		require.NotContains(t, strings.ToLower(a.body), word)
	}
	return problem
}

// signUpBody is a complete body of a sign-up.
func signUpBody(email string) string {
	return fmt.Sprintf(`{"email":%q,"password":%q,"name":"김선기","nickname":"sungi","phone":"01083574364"}`, email, secret)
}

// principal is what the gateway makes of the token in an answer.
func principal(t *testing.T, login answer) authn.Principal {
	t.Helper()
	memberID, sessionID, err := accounttest.SessionOf(login.object(t)["token"].(string))
	require.NoError(t, err)
	return authn.Principal{MemberID: memberID, SessionID: sessionID, Address: address}
}

// signUp creates a member and returns it as a caller.
func (a *api) signUp(t *testing.T, email string) authn.Principal {
	t.Helper()
	got := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody(email))
	require.Equal(t, http.StatusCreated, got.status, "%s", got.body)
	return principal(t, got)
}

// logIn opens another session.
func (a *api) logIn(t *testing.T, email string) answer {
	t.Helper()
	return a.ask(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, secret))
}

// admin creates an admin and returns it as a caller.
func (a *api) admin(t *testing.T) authn.Principal {
	t.Helper()
	caller := a.signUp(t, "admin@x.test")
	a.store.Alter(caller.MemberID, func(member *account.Member) { member.Admin = true })
	caller.Admin = true
	return caller
}

func userPath(id uint64) string { return fmt.Sprintf("/accounts/users/%d", id) }
