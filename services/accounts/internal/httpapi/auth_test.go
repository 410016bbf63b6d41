package httpapi_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/httpx"
)

func TestTheAnswerToASignUp(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.orders.Err = errors.New("away")
	got := a.ask(t, anonymous, http.MethodPost, "/accounts/users", signUpBody("Sungi@x.test"))
	require.Equal(t, 201, got.status, got.body)
	require.Equal(t, mediaType, got.header.Get("Content-Type"))
	id := principal(t, got).MemberID
	require.Equal(t, userPath(id), got.header.Get("Location"))
	require.Empty(t, got.header.Get("Degraded"), "a new member has no order, whatever the orders service says")
	body := got.object(t)
	require.Len(t, body["refresh_token"], 43)
	delete(body, "refresh_token")
	require.NotEmpty(t, body["token"])
	delete(body, "token")
	require.Equal(t, map[string]any{
		"user": map[string]any{
			"id": float64(id), "email": "Sungi@x.test", "name": "김선기", "nickname": "sungi", "phone": "01083574364",
			"gender": nil, "last_order": nil,
		},
		"expiry": "2026-11-24T07:00:00.123456+09:00", "refresh_expiry": "2026-12-23T21:00:00.123456+09:00",
	}, body)
}

func TestADeletedMemberIsGone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin, who := a.admin(t), a.signUp(t, "a@x.test")
	remove := func(caller authn.Principal) answer {
		return a.ask(t, caller, http.MethodDelete, userPath(who.MemberID), "")
	}
	gone := remove(who)
	require.Equal(t, 204, gone.status, gone.body)
	require.Empty(t, gone.body)
	require.Equal(t, who.MemberID, gone.revocations(t)[0].MemberID)
	require.Equal(t, 404, a.ask(t, admin, http.MethodGet, userPath(who.MemberID), "").status)
	require.Equal(t, 404, remove(admin).status)
	again := remove(who)
	require.Equal(t, 401, again.status, "its token proves nothing any more")
	require.Equal(t, "Invalid token.", again.problem(t)["detail"])
	require.Equal(t, []any{"Incorrect Credentials"}, a.logIn(t, "a@x.test").problem(t)["non_field_errors"])
	require.NotEqual(t, who.MemberID, a.signUp(t, "a@x.test").MemberID)
}

func TestTheAnswersToALoginAndARefresh(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.signUp(t, "m@x.test")
	login := a.logIn(t, "m@x.test")
	require.Equal(t, 200, login.status, login.body)
	body := login.object(t)
	require.Equal(t, "2026-11-24T07:00:00.123456+09:00", body["expiry"])
	require.Equal(t, "2026-12-23T21:00:00.123456+09:00", body["refresh_expiry"])
	require.Len(t, body["refresh_token"], 43)
	require.Equal(t, "no-store", login.header.Get("Cache-Control"))

	refresh := func(token any) answer {
		return a.ask(t, anonymous, http.MethodPost, "/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, token))
	}
	first := refresh(body["refresh_token"])
	require.Equal(t, 200, first.status, first.body)
	require.ElementsMatch(t, []string{"token", "expiry", "refresh_token", "refresh_expiry"}, slices.Collect(maps.Keys(first.object(t))))
	require.NotEqual(t, body["refresh_token"], first.object(t)["refresh_token"])
	require.Equal(t, "no-store", first.header.Get("Cache-Control"))
	a.clock.Advance(time.Hour)
	again := refresh(body["refresh_token"])
	require.Equal(t, 200, again.status, "the answer may have been lost")
	require.Equal(t, first.object(t)["refresh_token"], again.object(t)["refresh_token"])

	require.Equal(t, 200, refresh(first.object(t)["refresh_token"]).status)
	reused := refresh(body["refresh_token"])
	require.Equal(t, 401, reused.status)
	require.Equal(t, "Invalid token.", reused.problem(t)["detail"])
	require.Equal(t, "Token", reused.header.Get("WWW-Authenticate"))
	require.Len(t, reused.revocations(t), 1)
	require.Equal(t, uint64(1), reused.revocations(t)[0].Sequence)

	for body, status := range map[string]int{
		`{}`: 400, `{"refresh_token":null}`: 400, `{"refresh_token":""}`: 400, `{"refresh_token":[]}`: 400, `[]`: 400, `{`: 400,
		`{"refresh_token":"x"}`: 401, `{"refresh_token":5}`: 401,
	} {
		refused := a.ask(t, anonymous, http.MethodPost, "/auth/refresh", body)
		require.Equal(t, status, refused.status, "%s: %s", body, refused.body)
		require.Empty(t, refused.revocations(t))
	}
}

func TestAThrottledLoginSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	login := fmt.Sprintf(`{"email":"nobody@x.test","password":%q}`, wrong)
	for range 5 {
		require.Equal(t, []any{"Incorrect Credentials"}, a.ask(t, anonymous, http.MethodPost, "/auth/login", login).problem(t)["non_field_errors"])
	}
	refused := a.ask(t, anonymous, http.MethodPost, "/auth/login", login)
	require.Equal(t, 429, refused.status)
	require.Equal(t, "1", refused.header.Get("Retry-After"))
}

func TestTheSessionsOfAMember(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin, who := a.admin(t), a.signUp(t, "m@x.test")
	other := principal(t, a.logIn(t, "m@x.test"))
	list := a.ask(t, who, http.MethodGet, "/auth/sessions?limit=1&offset=1", "")
	require.Equal(t, 200, list.status, list.body)
	require.InDelta(t, 2, list.object(t)["count"], 0)
	require.Equal(t, "http://example.com/auth/sessions?limit=1", list.object(t)["previous"])
	require.Equal(t, []any{map[string]any{
		"id": float64(who.SessionID), "created": noon, "last_seen": noon, "address": address, "user_agent": userAgent, "current": true,
	}}, list.object(t)["results"])

	mine := fmt.Sprintf("/auth/sessions?member=%d", who.MemberID)
	for _, test := range []struct {
		caller authn.Principal
		path   string
		status int
	}{
		{who, mine, 200}, {admin, mine, 200}, {admin, "/auth/sessions?member=12345", 200},
		{who, fmt.Sprintf("/auth/sessions?member=%d", admin.MemberID), 403}, {who, "/auth/sessions?member=x", 400},
		{anonymous, "/auth/sessions", 401},
	} {
		require.Equal(t, test.status, a.ask(t, test.caller, http.MethodGet, test.path, "").status, "%s", test.path)
	}

	one := fmt.Sprintf("/auth/sessions/%d", other.SessionID)
	ended := a.ask(t, who, http.MethodDelete, one, "")
	require.Equal(t, 204, ended.status)
	require.Equal(t, other.SessionID, ended.revocations(t)[0].SessionID)
	for _, path := range []string{one, "/auth/sessions/0", "/auth/sessions/x", "/auth/sessions/99999999999999999999"} {
		require.Equal(t, 404, a.ask(t, who, http.MethodDelete, path, "").status, path)
	}
	for range 2 {
		require.Equal(t, 204, a.ask(t, who, http.MethodPost, "/auth/logout", "").status)
	}
}

func TestTheAuditEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin := a.admin(t)
	a.ask(t, anonymous, http.MethodPost, "/auth/login", fmt.Sprintf(`{"email":"nobody@x.test","password":%q}`, wrong))
	list := a.ask(t, admin, http.MethodGet, "/audit/events?outcome=failure&since=2026-11-23T20:59:00&until=2026-11-23T12:01:00Z", "")
	require.Equal(t, 200, list.status, list.body)
	require.InDelta(t, 1, list.object(t)["count"], 0)
	event := list.object(t)["results"].([]any)[0].(map[string]any)
	for _, name := range []string{"id", "request_id"} {
		require.NotZero(t, event[name])
		delete(event, name)
	}
	require.Equal(t, map[string]any{
		"at": noon, "action": "login", "actor": nil, "subject": nil, "address": address, "outcome": "failure", "detail": "", "count": 1.0,
	}, event)
	for query, status := range map[string]int{
		"action=sign_up&actor=1&subject=1&limit=5&offset=0": 200, "since=2026-11-23": 200,
		"since=2026-11-23T21:00:00.123456+09:00": 200, "since=2026-11-23T21:00:00.123456%2B09:00": 200,
		"action=x": 400, "outcome=x": 400, "actor=-1": 400, "subject=x": 400, "since=yesterday": 400, "until=0000-01-01": 400, "until=0001-01-01": 200,
		"until=9999-12-31T23:59:59Z": 200, "until=10000-01-01": 400,
	} {
		require.Equal(t, status, a.ask(t, admin, http.MethodGet, "/audit/events?"+query, "").status, query)
	}
	require.Equal(t, 403, a.ask(t, a.signUp(t, "m@x.test"), http.MethodGet, "/audit/events?action=x", "").status)
	require.Equal(t, 401, a.ask(t, anonymous, http.MethodGet, "/audit/events", "").status)
}

func TestGatewaysPullRevocations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range 3 {
		a.ask(t, a.signUp(t, fmt.Sprintf("m%d@x.test", i)), http.MethodPost, "/auth/logout", "")
	}
	for query, want := range map[string]int{"": 3, "?after=0": 3, "?after=2": 1, "?after=3": 0, "?after=18446744073709551615": 0} {
		reply := a.ask(t, authn.Principal{}, http.MethodGet, accounts.PathRevocations+query, "")
		require.Equal(t, 200, reply.status, reply.body)
		require.Len(t, reply.object(t)["revocations"], want)
		require.InDelta(t, 3, reply.object(t)["latest"], 0)
	}
	require.Equal(t, 400, a.ask(t, anonymous, http.MethodGet, accounts.PathRevocations+"?after=x", "").status)
}

func TestASignUpWithItsKeyAgainIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	signUp := func(key, body string) answer {
		return a.ask(t, anonymous, http.MethodPost, "/accounts/users", body, httpx.HeaderIdempotencyKey, key)
	}
	first := signUp("key", signUpBody("sungi@x.test"))
	require.Equal(t, 201, first.status, first.body)
	require.Empty(t, first.header.Get(httpx.HeaderIdempotencyReplayed))
	again := signUp("key", signUpBody("sungi@x.test"))
	require.Equal(t, "true", again.header.Get(httpx.HeaderIdempotencyReplayed))
	require.Equal(t, first.body, again.body)
	for _, name := range []string{"Location", "Etag", "Cache-Control", "Content-Type"} {
		require.NotEmpty(t, first.header.Get(name), name)
		require.Equal(t, first.header.Get(name), again.header.Get(name), name)
	}
	for _, body := range []string{
		signUpBody("other@x.test"), strings.Replace(signUpBody("sungi@x.test"), secret, secret+"1", 1),
		strings.Replace(signUpBody("sungi@x.test"), "0108", "0109", 1),
	} {
		got := signUp("key", body)
		require.Equal(t, 422, got.status, got.body)
		require.Len(t, got.problem(t), 4)
		require.NotContains(t, got.body, "sungi")
		require.Empty(t, got.header.Get(httpx.HeaderIdempotencyReplayed))
	}
	for _, key := range []string{"with blank", "ü", strings.Repeat("k", 256)} {
		require.Equal(t, 400, signUp(key, signUpBody("b@x.test")).status, key)
	}
	require.Equal(t, 400, signUp("new", signUpBody("sungi@x.test")).status, "a new key does not make an email free")
}

func TestMembersCarryWhatTheCallerMaySee(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	admin, who, other := a.admin(t), a.signUp(t, "sungi@x.test"), a.signUp(t, "other@x.test")
	a.orders.Last = []account.Order{{
		ID: 9, CustomerID: who.MemberID, OrderNumber: "00000000ABCD", ProductName: "꼬막무침 🍤", PaidAt: a.clock.Now(), State: "paid",
	}}
	whole := map[string]any{
		"id": float64(who.MemberID), "email": "sungi@x.test", "name": "김선기", "nickname": "sungi", "phone": "01083574364", "gender": nil,
		"last_order": map[string]any{
			"id": 9.0, "customer": float64(who.MemberID), "order_number": "00000000ABCD", "product_name": "꼬막무침 🍤",
			"paymented_at": noon, "state": "paid",
		},
	}
	administered := maps.Clone(whole)
	maps.Copy(administered, map[string]any{"is_active": true, "is_admin": false, "created_at": noon})
	masked := map[string]any{
		"id": float64(who.MemberID), "email": "s***@x.test", "name": "김선기", "nickname": "sungi", "phone": "***64",
	}
	for name, test := range map[string]struct {
		caller authn.Principal
		want   map[string]any
	}{"oneself": {who, whole}, "an admin": {admin, administered}, "another member": {other, masked}} {
		require.Equal(t, test.want, a.ask(t, test.caller, http.MethodGet, userPath(who.MemberID), "").object(t), name)
		list := a.ask(t, test.caller, http.MethodGet, "/accounts/users?limit=1&offset=1", "").object(t)
		require.Equal(t, []any{test.want}, list["results"], name)
		require.InDelta(t, 3, list["count"], 0)
	}
	none := a.ask(t, other, http.MethodGet, userPath(other.MemberID), "").object(t)
	require.Contains(t, none, "last_order")
	require.Nil(t, none["last_order"])

	a.orders.Err = errors.New("away")
	degraded := a.ask(t, who, http.MethodGet, userPath(who.MemberID), "")
	require.Equal(t, 200, degraded.status)
	require.Equal(t, "last_order", degraded.header.Get("Degraded"))
	require.NotContains(t, degraded.object(t), "last_order")
	require.Empty(t, a.ask(t, other, http.MethodGet, userPath(who.MemberID), "").header.Get("Degraded"), "what needs no orders is whole")
}
