package system

import (
	"bytes"
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

	"oms.internal/accounts/internal/httpapi"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/httpx"
)

// web is the HTTP surface of a system, with the gateway's key.
type web struct {
	*system
	app    *fiber.App
	signer *assertion.Signer
}

func newWeb(t *testing.T) *web {
	t.Helper()
	s := newSystem(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	app := httpx.New(httpx.Options{
		Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Timeout: patience, TrustRequestID: true,
	})
	zone, err := time.LoadLocation("Asia/Seoul")
	require.NoError(t, err)
	httpapi.New(s.Service, s.keys.JWKS, zone).Register(app, assertion.NewVerifier(public, accounts.Service, time.Now),
		consistencyhttp.Handler(consistency.NewMemory(time.Now), func(consistency.Written) {}))
	return &web{system: s, app: app, signer: assertion.NewSigner(private, time.Now)}
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// ask sends a request as the gateway does for a caller.
func (w *web) ask(t *testing.T, caller authn.Principal, method, path, body string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Browser/1")
	signed, err := w.signer.Sign(caller, accounts.Service)
	require.NoError(t, err)
	request.Header.Set(assertion.Header, signed)
	response, err := w.app.Test(request, -1)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	result := answer{status: response.StatusCode, header: response.Header, raw: string(content)}
	if len(content) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(content))
		require.NoError(t, decoder.Decode(&result.body), "%s", content)
	}
	return result
}

// told is what an answer tells the gateway.
func (a answer) told(t *testing.T) []accounts.Revocation {
	t.Helper()
	var message accounts.Revocations
	if text := a.header.Get(accounts.HeaderRevocations); text != "" {
		require.NoError(t, json.Unmarshal([]byte(text), &message))
	}
	return message.Revocations
}

var anonymous = authn.Principal{Address: browser.Address}

func TestTheAnswersToALoginAndARefresh(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	who := w.signUp(t, 1)
	login := w.ask(t, anonymous, "POST", "/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, who.Email, password))
	require.Equal(t, 200, login.status, login.raw)
	require.Equal(t, "2026-11-24T07:00:00.123456+09:00", login.body["expiry"])
	require.Equal(t, "2026-12-23T21:00:00.123456+09:00", login.body["refresh_expiry"])
	require.Len(t, login.body["refresh_token"], 43)
	require.Equal(t, "no-store", login.header.Get("Cache-Control"))
	require.Equal(t, 1, w.number(t, "SELECT COUNT(*) FROM sessions WHERE id <> ? AND address = ? AND user_agent = ?",
		who.SessionID, browser.Address, browser.UserAgent))

	body := fmt.Sprintf(`{"refresh_token":%q}`, login.body["refresh_token"])
	refresh := w.ask(t, anonymous, "POST", "/auth/refresh", body)
	require.Equal(t, 200, refresh.status, refresh.raw)
	var names []string
	for name := range refresh.body {
		names = append(names, name)
	}
	require.ElementsMatch(t, []string{"token", "expiry", "refresh_token", "refresh_expiry"}, names)
	require.NotEqual(t, login.body["refresh_token"], refresh.body["refresh_token"])

	require.Equal(t, 200, w.ask(t, anonymous, "POST", "/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, refresh.body["refresh_token"])).status)
	reused := w.ask(t, anonymous, "POST", "/auth/refresh", body)
	require.Equal(t, 401, reused.status)
	require.Equal(t, "Invalid token.", reused.body["detail"])
	require.Equal(t, "Token", reused.header.Get("WWW-Authenticate"))
	require.Len(t, reused.told(t), 1)
	require.Equal(t, uint64(1), reused.told(t)[0].Sequence)

	for body, status := range map[string]int{
		`{}`: 400, `{"refresh_token":null}`: 400, `{"refresh_token":""}`: 400, `{"refresh_token":[]}`: 400, `[]`: 400, `{`: 400,
		`{"refresh_token":"x"}`: 401, `{"refresh_token":5}`: 401,
	} {
		refused := w.ask(t, anonymous, "POST", "/auth/refresh", body)
		require.Equal(t, status, refused.status, "%s: %s", body, refused.raw)
		require.Empty(t, refused.told(t))
	}
}

func TestTheSessionsOfAMemberOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	admin, who := w.admin(t, 0), w.signUp(t, 1)
	other := w.again(t, who)
	list := w.ask(t, who.Principal, "GET", "/auth/sessions?limit=1&offset=1", "")
	require.Equal(t, 200, list.status, list.raw)
	require.InDelta(t, 2, list.body["count"], 0)
	require.Equal(t, "http://example.com/auth/sessions?limit=1", list.body["previous"])
	const at = "2026-11-23T21:00:00.123456+09:00"
	require.Equal(t, []any{map[string]any{
		"id": float64(who.SessionID), "created": at, "last_seen": at, "address": browser.Address, "user_agent": browser.UserAgent, "current": true,
	}}, list.body["results"])

	mine := fmt.Sprintf("/auth/sessions?member=%d", who.MemberID)
	for _, test := range []struct {
		caller authn.Principal
		path   string
		status int
	}{
		{who.Principal, mine, 200}, {admin.Principal, mine, 200}, {admin.Principal, "/auth/sessions?member=12345", 200},
		{who.Principal, fmt.Sprintf("/auth/sessions?member=%d", admin.MemberID), 403}, {who.Principal, "/auth/sessions?member=x", 400},
		{who.Principal, "/auth/sessions?limit=x", 400}, {anonymous, "/auth/sessions", 401},
	} {
		require.Equal(t, test.status, w.ask(t, test.caller, "GET", test.path, "").status, "%s", test.path)
	}

	one := fmt.Sprintf("/auth/sessions/%d", other.SessionID)
	ended := w.ask(t, who.Principal, "DELETE", one, "")
	require.Equal(t, 204, ended.status)
	require.Equal(t, other.SessionID, ended.told(t)[0].SessionID)
	for _, path := range []string{one, "/auth/sessions/0", "/auth/sessions/x", "/auth/sessions/99999999999999999999"} {
		require.Equal(t, 404, w.ask(t, who.Principal, "DELETE", path, "").status, path)
	}
	for range 2 {
		require.Equal(t, 204, w.ask(t, who.Principal, "POST", "/auth/logout", "").status)
	}
}

func TestTheRightsOfAMemberOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	admin, who := w.admin(t, 0), w.signUp(t, 1)
	path := fmt.Sprintf("/accounts/users/%d", who.MemberID)
	for body, status := range map[string]int{
		`{"is_active":"maybe"}`: 400, `{"is_admin":null}`: 400, `{"is_admin":[]}`: 400, `{"is_admin":false}`: 200, `{"is_active":"true"}`: 200,
	} {
		require.Equal(t, status, w.ask(t, admin.Principal, "PATCH", path, body).status, body)
		require.Equal(t, 200, w.ask(t, who.Principal, "PATCH", path, body).status, "%s from a member is not read", body)
	}
	off := w.ask(t, admin.Principal, "PATCH", path, `{"is_active":false}`)
	require.Equal(t, 200, off.status)
	require.Equal(t, who.MemberID, off.told(t)[0].MemberID)
	require.Equal(t, 401, w.ask(t, who.Principal, "PATCH", path, `{}`).status)
}

func TestTheAuditEventsOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	admin := w.admin(t, 0)
	w.try(t, attacker, "nobody@x.test", wrong)
	list := w.ask(t, admin.Principal, "GET", "/audit/events?outcome=failure&since=2026-11-23T20:59:00&until=2026-11-23T12:01:00Z", "")
	require.Equal(t, 200, list.status, list.raw)
	require.InDelta(t, 1, list.body["count"], 0)
	event := list.body["results"].([]any)[0].(map[string]any)
	require.NotZero(t, event["id"])
	delete(event, "id")
	require.Equal(t, map[string]any{
		"at": "2026-11-23T21:00:00.123456+09:00", "action": "login", "actor": nil, "subject": nil, "address": attacker.Address,
		"outcome": "failure", "request_id": "", "detail": "",
	}, event)
	for _, test := range []struct {
		caller authn.Principal
		query  string
		status int
	}{
		{admin.Principal, "action=sign_up&actor=1&subject=1&limit=5&offset=0", 200},
		{admin.Principal, "since=2026-11-23", 200}, {admin.Principal, "since=2026-11-23T21:00:00.123456+09:00", 200},
		{admin.Principal, "since=2026-11-23T21:00:00.123456%2B09:00", 200},
		{admin.Principal, "action=x", 400}, {admin.Principal, "outcome=x", 400}, {admin.Principal, "actor=-1", 400},
		{admin.Principal, "subject=x", 400}, {admin.Principal, "since=yesterday", 400}, {admin.Principal, "until=0001-01-01", 400},
		{admin.Principal, "until=9999-12-31T23:59:59Z", 400}, {admin.Principal, "limit=501", 400},
		{w.signUp(t, 1).Principal, "action=x", 403}, {anonymous, "", 401},
	} {
		require.Equal(t, test.status, w.ask(t, test.caller, "GET", "/audit/events?"+test.query, "").status, test.query)
	}
}

func TestGatewaysPullRevocationsOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	for i := range 3 {
		_, err := w.LogOut(t.Context(), w.signUp(t, i).Principal)
		require.NoError(t, err)
	}
	for query, want := range map[string]int{"": 3, "?after=0": 3, "?after=2": 1, "?after=3": 0, "?after=18446744073709551615": 0} {
		reply := w.ask(t, authn.Principal{}, "GET", accounts.PathRevocations+query, "")
		require.Equal(t, 200, reply.status, reply.raw)
		require.Len(t, reply.body["revocations"], want)
		require.InDelta(t, 3, reply.body["latest"], 0)
	}
	require.Equal(t, 400, w.ask(t, anonymous, "GET", accounts.PathRevocations+"?after=x", "").status)
	request := httptest.NewRequestWithContext(t.Context(), "GET", accounts.PathRevocations, nil)
	response, err := w.app.Test(request, -1)
	require.NoError(t, err)
	require.Equal(t, 401, response.StatusCode)
}

func TestAThrottledLoginSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	for range 5 {
		w.try(t, browser, "nobody@x.test", wrong)
	}
	refused := w.ask(t, anonymous, "POST", "/auth/login", fmt.Sprintf(`{"email":"nobody@x.test","password":%q}`, password))
	require.Equal(t, 429, refused.status)
	require.Equal(t, "1", refused.header.Get("Retry-After"))
}
