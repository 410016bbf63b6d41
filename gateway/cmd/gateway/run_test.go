package main

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/lifecycle"
)

func TestMemberReachesTheServiceThatThePathNames(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	play := func(service string) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			principal, err := n.verifiers[service].Verify(request.Header.Get(assertion.Header))
			if err != nil || principal.MemberID != 7 || principal.SessionID != 70 {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, service+" "+request.RequestURI)
		}
	}
	n.accounts, n.orders = play("accounts"), play("orders")
	where := startReady(t, n)
	token := n.issuer.Token(t, 7, 70)
	for path, want := range map[string]string{
		"/accounts/users?limit=2": "accounts /accounts/users?limit=2", "/orders/?a=%2F": "orders /orders/?a=%2F",
	} {
		response, body := ask(t, where, http.MethodGet, path, token)
		require.Equal(t, http.StatusOK, response.StatusCode, body)
		require.Equal(t, want, body)
		require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		require.NotEmpty(t, response.Header.Get("X-Request-Id"))
	}
	response, body := ask(t, where, http.MethodGet, "/orders/", "")
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Contains(t, body, "Authentication credentials were not provided.")
	require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
}

func TestLoggedOutTokenIsRefusedOnTheVeryNextRequest(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.accounts = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Oms-Revocations", `{"revocations":[{"session_id":70,"until":"2100-01-01T00:00:00Z"}]}`)
		w.WriteHeader(http.StatusNoContent)
	}
	where := startReady(t, n)
	ended, other := n.issuer.Token(t, 7, 70), n.issuer.Token(t, 7, 71)

	response, _ := ask(t, where, http.MethodPost, "/auth/logout", ended)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.NotContains(t, response.Header, "Oms-Revocations")

	response, body := ask(t, where, http.MethodGet, "/orders/", ended)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Contains(t, body, "Invalid token.")
	response, _ = ask(t, where, http.MethodGet, "/orders/", other)
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestOnlyAccountsCanRevoke(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.orders = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Oms-Revocations", `{"revocations":[{"session_id":70,"until":"2100-01-01T00:00:00Z"}]}`)
	}
	where := startReady(t, n)
	for range 2 {
		response, _ := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.NotContains(t, response.Header, "Oms-Revocations")
	}
}

func TestGatewayStartsWithoutItsNeighboursAndLetsNobodyInBeforeItKnowsRevocations(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startGateway(t, n, io.Discard)
	require.Error(t, lifecycle.Probe(t.Context(), where.admin.String(), io.Discard))
	// It gives its neighbours 10 seconds before it answers without them.
	response, _ := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	response, _ = ask(t, where, http.MethodPost, "/auth/login", "")
	require.Equal(t, http.StatusOK, response.StatusCode, "public routes need neither")

	n.answerRevocations(t)
	awaitReady(t, where)
	response, _ = ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestGatewayGoesOnWithoutNATS(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startReady(t, n)
	require.NoError(t, n.nats.Stop(t.Context()))
	response, _ := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, lifecycle.Probe(t.Context(), where.admin.String(), io.Discard))
}

func TestServiceThatIsDownOrHangsBecomes503Or504(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["ORDERS_URL"] = "http://127.0.0.1:1"
	n.env["UPSTREAM_TIMEOUT"] = "300ms"
	n.accounts = func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		<-request.Context().Done()
	}
	where := startReady(t, n)
	token := n.issuer.Token(t, 7, 70)
	response, _ := ask(t, where, http.MethodGet, "/orders/", token)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	response, _ = ask(t, where, http.MethodGet, "/accounts/users", token)
	require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
}

// safeBuffer is a log that is written and read at the same time.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(text)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func TestLogShowsTheConfigurationAndNoSecret(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.answerRevocations(t)
	log := &safeBuffer{}
	where := startGateway(t, n, log)
	awaitReady(t, where)
	token := n.issuer.Token(t, 7, 70)
	_, _ = ask(t, where, http.MethodGet, "/orders/", token)
	written := log.String()
	require.Contains(t, written, `"ORDERS_URL":"`+n.env["ORDERS_URL"]+`"`)
	require.Contains(t, written, `"NATS_PASSWORD_FILE":"******"`)
	require.NotContains(t, written, "password-in-a-file")
	require.NotContains(t, written, token)
}

func TestMetricsNameRoutesAndNotPaths(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startReady(t, n)
	_, _ = ask(t, where, http.MethodGet, "/orders/12", n.issuer.Token(t, 7, 70))
	_, _ = ask(t, where, "PROPFIND", "/orders/13", n.issuer.Token(t, 7, 70))
	_, _ = ask(t, where, http.MethodGet, "/nowhere/14", "")
	_, metrics := ask(t, addresses{public: where.admin}, http.MethodGet, "/metrics", "")
	require.Contains(t, metrics, `{method="GET",route="/orders/:id",status="200"`)
	require.Contains(t, metrics, `{method="OTHER",route="/orders/:id",status="405"`)
	require.Contains(t, metrics, `{method="GET",route="unmatched",status="404"`)
	require.Contains(t, metrics, "gateway_revocations 0")
}
