package main

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

func TestRequestsThatComeWhileTheGatewayBeginsAreAnsweredOnceItCan(t *testing.T) {
	t.Parallel()
	n := newNeighbours(t)
	where := startGateway(t, n, io.Discard)
	var answered atomic.Bool
	const clients = 10
	statuses := make(chan int, clients)
	for range clients {
		go func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+where.public.String()+"/orders/", nil)
			if err != nil {
				statuses <- 0
				return
			}
			request.Header.Set("Authorization", "Token "+n.issuer.Token(t, 7, 70))
			response, err := (&http.Transport{}).RoundTrip(request)
			answered.Store(true)
			if err != nil {
				statuses <- 0
				return
			}
			_ = response.Body.Close()
			statuses <- response.StatusCode
		}()
	}
	require.Eventually(t, func() bool { return lifecycle.Probe(t.Context(), where.admin.String(), io.Discard) != nil }, patience, time.Millisecond)
	require.False(t, answered.Load())
	n.answerRevocations(t)
	for range clients {
		require.Equal(t, http.StatusOK, <-statuses)
	}
	awaitReady(t, where)
}
