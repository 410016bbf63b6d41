package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/natsx"
	"oms.internal/servers/testservers"
)

func TestMemberReachesTheServiceThatThePathNames(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	play := func(service string) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			principal, err := n.verifiers[service].Verify(request.Header.Get(assertion.Header))
			if err != nil || principal.MemberID != 7 || principal.SessionID != 70 || principal.Address != "127.0.0.1" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			_, _ = io.WriteString(w, service+" "+request.RequestURI)
		}
	}
	n.accounts, n.orders = play("accounts"), play("orders")
	g := startReady(t, n)
	for path, want := range map[string]string{
		"/accounts/users?limit=2": "accounts /accounts/users?limit=2", "/orders/12?a=%2F": "orders /orders/12?a=%2F",
	} {
		response, body := g.ask(t, http.MethodGet, path, n.token(t, 7, 70))
		require.Equal(t, http.StatusOK, response.StatusCode, body)
		require.Equal(t, want, body)
	}
	metrics := g.askAdmin(t, "/metrics")
	require.Contains(t, metrics, `{method="GET",route="/orders/:id",status="200"`)
	require.Contains(t, metrics, "gateway_revocations 0")
}

func TestLoggedOutTokenIsRefusedOnTheVeryNextRequest(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.accounts = endSession70
	g := startReady(t, n)
	ended, other := n.token(t, 7, 70), n.token(t, 7, 71)

	response, _ := g.ask(t, http.MethodPost, "/auth/logout", ended)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.NotContains(t, response.Header, accounts.HeaderRevocations)

	response, body := g.ask(t, http.MethodGet, "/orders/", ended)
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Contains(t, body, "Invalid token.")
	response, _ = g.ask(t, http.MethodGet, "/orders/", other)
	require.Equal(t, http.StatusOK, response.StatusCode)
}

func TestOnlyAccountsCanRevoke(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.orders = endSession70
	g := startReady(t, n)
	for range 2 {
		response, _ := g.ask(t, http.MethodGet, "/orders/", n.token(t, 7, 70))
		require.Equal(t, http.StatusNoContent, response.StatusCode)
		require.NotContains(t, response.Header, accounts.HeaderRevocations)
	}
}

// endSession70 answers as accounts does after a logout.
func endSession70(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(accounts.HeaderRevocations, `{"revocations":[{"session_id":70,"until":"2100-01-01T00:00:00Z"}]}`)
	w.WriteHeader(http.StatusNoContent)
}

func TestGatewayThatKnowsTooLittleRefusesToGuessAndHealsByItself(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["REVOCATION_MAX_STALENESS"] = "5m"
	g := startReady(t, n)
	token := n.token(t, 7, 70)
	n.revoked.Fail(errors.New("the primary is away"))
	n.clock.Advance(4 * time.Minute)
	response, _ := g.ask(t, http.MethodGet, "/orders/", token)
	require.Equal(t, http.StatusOK, response.StatusCode)
	n.clock.Advance(2 * time.Minute)
	response, _ = g.ask(t, http.MethodGet, "/orders/", token)
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	metrics := g.askAdmin(t, "/metrics")
	require.Contains(t, metrics, "\ngateway_revocation_staleness_seconds 360\n")
	require.Contains(t, metrics, "\nnats_connected 1\n")
	response, _ = g.ask(t, http.MethodPost, "/auth/login", "")
	require.Equal(t, http.StatusOK, response.StatusCode, "public routes need no knowledge")
	response, body := askAt(t, g.admin, http.MethodGet, "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	require.Contains(t, body, "revocations are 6m0s old")

	n.revoked.Fail(nil)
	g.awaitStatus(t, token, http.StatusOK)
}

func TestGatewayRemembersWhatItToldAndHearsWhatOthersTold(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPost {
			w.Header().Set(consistency.Header, "50")
			w.Header().Set(consistency.HeaderConcerned, "9")
		}
		_, _ = io.WriteString(w, request.Header.Get(consistency.Header))
	}
	g := startReady(t, n)
	seen := func(member uint64) string {
		_, body := g.ask(t, http.MethodGet, "/orders/", n.token(t, member, 10*member))
		return body
	}
	require.Equal(t, consistency.Newest.String(), seen(7), "it asks for the newest at first")
	n.clock.Advance(3 * time.Second)
	require.Empty(t, seen(7))

	response, _ := g.ask(t, http.MethodPost, "/orders/", n.token(t, 7, 70))
	require.Equal(t, "50", response.Header.Get(consistency.Header))
	require.NotContains(t, response.Header, consistency.HeaderConcerned)
	require.Equal(t, []string{"50", "50", ""}, []string{seen(7), seen(9), seen(8)})

	message, err := json.Marshal(consistency.Written{MemberIDs: []uint64{8}, Token: 60})
	require.NoError(t, err)
	require.NoError(t, n.published.Publish(consistency.SubjectWritten, message))
	require.Eventually(t, func() bool { return seen(8) == "60" }, patience, 10*time.Millisecond)
}

func TestAccountsHearsWhichSessionsAreUsed(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	g := startReady(t, n)
	heard := make(chan accounts.LastSeenRequest, 10)
	testservers.Run(t, func(ctx context.Context) error {
		return natsx.Serve(ctx, n.published, "seen", slog.New(slog.DiscardHandler), natsx.NewEndpoint("seen",
			accounts.SubjectLastSeen, func(_ context.Context, request accounts.LastSeenRequest) (accounts.LastSeenReply, error) {
				heard <- request
				return accounts.LastSeenReply{}, nil
			}))
	})
	_, _ = g.ask(t, http.MethodGet, "/orders/", n.token(t, 7, 70))
	_, _ = g.ask(t, http.MethodGet, "/orders/", "refused")
	select {
	case request := <-heard:
		require.Len(t, request.Sessions, 1)
		require.Equal(t, uint64(70), request.Sessions[0].SessionID)
		require.True(t, n.clock.Now().Equal(request.Sessions[0].At))
	case <-time.After(patience):
		require.Fail(t, "nothing is reported")
	}
}

func TestServiceThatHangsBecomes504(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["UPSTREAM_TIMEOUT"] = "300ms"
	n.orders = func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }
	g := startReady(t, n)
	g.awaitStatus(t, n.token(t, 7, 70), http.StatusGatewayTimeout)
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
	g := startGateway(t, n, log)
	g.awaitReady(t)
	token := n.token(t, 7, 70)
	_, _ = g.ask(t, http.MethodGet, "/orders/", token)
	written := log.String()
	require.Contains(t, written, `"ORDERS_URL":"`+n.env["ORDERS_URL"]+`"`)
	require.Contains(t, written, `"NATS_PASSWORD_FILE":"******"`)
	require.NotContains(t, written, "password-in-a-file")
	require.NotContains(t, written, token)
}

func TestTheLogNamesTheReasonOfAServiceAndNoClientHearsIt(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		header := "Oms-Reason"
		if request.URL.RawQuery != "" {
			header = "Oms-Refused"
		}
		w.Header().Set(header, "the database is away")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	n.answerRevocations(t)
	log := &safeBuffer{}
	g := startGateway(t, n, log)
	g.awaitReady(t)
	token := n.token(t, 7, 70)
	for _, path := range []string{"/orders/", "/orders/?search=a", "/orders/?search=a"} {
		response, _ := g.ask(t, http.MethodGet, path, token)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		require.Empty(t, response.Header.Get("Oms-Reason")+response.Header.Get("Oms-Refused"))
	}
	require.Regexp(t, `"msg":"request".*"path":"/orders/","status":503.*"reason":"the database is away"`, log.String())
	require.Equal(t, 1, strings.Count(log.String(), `"msg":"requests refused"`))
}
