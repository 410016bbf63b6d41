package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/config"
	"oms.internal/libs/consistency"
	"oms.internal/libs/httpx"
	"oms.internal/libs/lifecycle"
)

func TestGatewayLearnsKeysAndRevocationsFromAnyLivingInstance(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	require.NoError(t, n.nats.Stop(t.Context()))
	n.revoked.Fail(nil)
	n.env["ACCOUNTS_URL"] = "http://127.0.0.1:1," + n.env["ACCOUNTS_URL"] + ",http://127.0.0.1:2"
	n.env["ORDERS_URL"] += ",http://127.0.0.1:1"
	where := startGateway(t, n, io.Discard)
	awaitReady(t, where)
	token := n.issuer.Token(t, 7, 70)
	for range 10 {
		for _, path := range []string{"/orders/", "/accounts/users"} {
			response, _ := ask(t, where, http.MethodGet, path, token)
			require.Equal(t, http.StatusOK, response.StatusCode)
		}
	}
}

func TestGatewayRemembersWhatItToldAndHearsWhatOthersTold(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	var written atomic.Value
	written.Store("")
	n.orders = func(w http.ResponseWriter, request *http.Request) {
		if token := written.Load().(string); request.Method == http.MethodPost {
			w.Header().Set(consistency.Header, token)
			w.Header().Set(consistency.HeaderConcerned, "9")
			w.Header().Set("Idempotency-Replayed", "true")
		}
		_, _ = io.WriteString(w, request.Header.Get(consistency.Header))
	}
	where := startReady(t, n)
	seen := func(member uint64) string {
		_, body := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, member, 10*member))
		return body
	}
	require.Eventually(t, func() bool { return seen(7) == "" }, patience, 10*time.Millisecond, "it asks for the newest at first")

	written.Store("50")
	response, _ := ask(t, where, http.MethodPost, "/orders/", n.issuer.Token(t, 7, 70))
	require.Equal(t, "50", response.Header.Get(consistency.Header))
	require.Equal(t, "true", response.Header.Get("Idempotency-Replayed"))
	require.NotContains(t, response.Header, consistency.HeaderConcerned)
	require.Equal(t, []string{"50", "50", ""}, []string{seen(7), seen(9), seen(8)})

	message, err := json.Marshal(consistency.Written{MemberIDs: []uint64{8}, Token: 60})
	require.NoError(t, err)
	require.NoError(t, n.published.Publish(consistency.SubjectWritten, message))
	require.Eventually(t, func() bool { return seen(8) == "60" }, patience, 10*time.Millisecond)
}

func TestGatewayThatEndsStillAnswersAndSaysThatItCloses(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	n.env["DRAIN_TIME"] = "4s"
	n.answerRevocations(t)
	cfg, err := config.Load[Config](environ(n.env))
	require.NoError(t, err)
	listening, ended := make(chan addresses, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		ended <- run(ctx, cfg, slog.New(slog.DiscardHandler), func(a addresses) { listening <- a })
	}()
	where := <-listening
	awaitReady(t, where)
	stop()
	require.Eventually(t, func() bool {
		response, _ := ask(t, where, http.MethodGet, "/orders/", n.issuer.Token(t, 7, 70))
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.NotContains(t, response.Header, httpx.HeaderDraining)
		return response.Close
	}, 3*time.Second, time.Millisecond)
	require.Error(t, lifecycle.Probe(t.Context(), where.admin.String(), io.Discard), "load balancers turn away")
	require.NoError(t, <-ended)
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", where.public.String())
	require.Error(t, err)
}
