package main

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/handover"
	"oms.internal/libs/httpx"
	"oms.internal/servers/testservers"
)

func TestRequestsThatComeWhileTheGatewayBeginsAreAnsweredOnceItCan(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	g := startGateway(t, n, io.Discard)
	const clients = 10
	statuses, token := make(chan int, clients), n.token(t, 7, 70)
	for range clients {
		go func() {
			response, err := g.read(t.Context(), token)
			if err != nil {
				response = &http.Response{}
			}
			statuses <- response.StatusCode
		}()
	}
	require.Eventually(t, func() bool { return g.probe(t) != nil }, patience, time.Millisecond)
	require.Empty(t, statuses)
	n.answerRevocations(t)
	for range clients {
		require.Equal(t, http.StatusOK, <-statuses)
	}
	g.awaitReady(t)
}

func TestGatewayNeedsNeitherNATSNorEveryInstance(t *testing.T) {
	t.Parallel()
	for name, atStart := range map[string]bool{"that starts": true, "that runs": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNeighbours(t)
			n.env["ACCOUNTS_URL"] = "http://127.0.0.1:1," + n.env["ACCOUNTS_URL"] + ",http://127.0.0.1:2"
			n.env["ORDERS_URL"] += ",http://127.0.0.1:1"
			n.revoke(69)
			n.revoked.Fail(nil)
			if atStart {
				require.NoError(t, n.nats.Stop(t.Context()))
			}
			g := startGateway(t, n, io.Discard)
			g.awaitReady(t)
			if !atStart {
				require.NoError(t, n.nats.Stop(t.Context()))
			}
			for range 10 {
				for _, path := range []string{"/orders/", "/accounts/users"} {
					response, _ := g.ask(t, http.MethodGet, path, n.token(t, 7, 70))
					require.Equal(t, http.StatusOK, response.StatusCode)
				}
			}
			response, _ := g.ask(t, http.MethodGet, "/orders/", n.token(t, 7, 69))
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, "a session that ended before the gateway began")
			n.revoke(70)
			g.awaitStatus(t, n.token(t, 7, 70), http.StatusUnauthorized)
			require.NoError(t, g.probe(t))
		})
	}
}

func TestGatewayThatEndsStillAnswersAndSaysThatItCloses(t *testing.T) {
	t.Parallel()
	// A busy machine may miss a short time, so the time grows until the test has seen it.
	for drain := time.Second; !answersWhileItDrains(t, drain); drain *= 2 {
		require.Less(t, drain, patience)
	}
}

func answersWhileItDrains(t *testing.T, drain time.Duration) bool {
	t.Helper()
	n := newNeighbours(t)
	n.env["DRAIN_TIME"], n.env["SHUTDOWN_TIMEOUT"] = drain.String(), (drain + patience).String()
	g := startReady(t, n)
	token := n.token(t, 7, 70)
	ended := make(chan struct{})
	go func() {
		g.stop()
		close(ended)
	}()
	for closes := false; !closes; {
		response, err := g.read(t.Context(), token)
		if err != nil {
			return false
		}
		closes = response.Close
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.NotContains(t, response.Header, httpx.HeaderDraining)
	}
	require.Error(t, g.probe(t), "load balancers turn away")
	<-ended
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.public.String())
	require.Error(t, err)
	return true
}

func TestAGatewayBesideAnotherTakesNoRequestBeforeItIsReady(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	path := filepath.Join(t.TempDir(), "port")
	keeper, err := handover.Keep(t.Context(), free.Addr().String(), path)
	require.NoError(t, err)
	testservers.Run(t, keeper.Run)

	old, next := newNeighbours(t), newNeighbours(t)
	old.env["HTTP_ADDR"], next.env["HTTP_ADDR"] = path, path
	serving := startReady(t, old)
	require.Equal(t, free.Addr().String(), serving.public.String())
	beside := startGateway(t, next, io.Discard)
	require.Eventually(t, func() bool {
		lacking := beside.askAdmin(t, "/readyz")
		return strings.Contains(lacking, "revocations") && strings.Contains(lacking, "http: not started yet")
	}, patience, 10*time.Millisecond)
	ask := func(n *neighbours) int {
		response, _ := serving.ask(t, http.MethodGet, "/orders/", n.token(t, 7, 70), "Connection", "close")
		return response.StatusCode
	}
	for range 50 {
		require.Equal(t, http.StatusOK, ask(old))
	}

	next.answerRevocations(t)
	beside.awaitReady(t)
	serving.stop()
	require.Equal(t, http.StatusOK, ask(next))
	require.Equal(t, http.StatusUnauthorized, ask(old), "the keys are another's")
}
