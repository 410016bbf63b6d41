package proxy

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

// pausing answers 429, and asks for a pause if the path says so.
func pausing(while string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/paused" {
			w.Header().Set(httpx.HeaderPause, while)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"detail":"wait"}`))
	}
}

func TestAnswersThatAreHeldBackKeepNoConnectionToTheService(t *testing.T) {
	t.Parallel()
	const clients = connections + 1
	paused, goOn := make(chan time.Duration, clients), make(chan struct{})
	proxy := forwardTo(t, upstream(t, pausing("970ms")), setup{
		timeout: 10 * time.Minute,
		pause: func(_ context.Context, while time.Duration) {
			paused <- while
			<-goOn
		},
	})
	var waiting sync.WaitGroup
	answers := make([]answer, clients)
	for i := range clients {
		waiting.Go(func() {
			// A busy machine may take longer for a connection to the service than the gateway waits.
			for answers[i].status != http.StatusTooManyRequests && t.Context().Err() == nil {
				answers[i], _ = proxy.try(t.Context(), http.MethodPost, "/paused", "{}", nil)
			}
		})
	}
	for range clients {
		require.Equal(t, 970*time.Millisecond, <-paused)
	}
	other := proxy.ask(t, http.MethodGet, "/unpaused", "", nil)
	require.Equal(t, http.StatusTooManyRequests, other.status)
	close(goOn)
	waiting.Wait()
	for _, each := range answers {
		require.Equal(t, http.StatusTooManyRequests, each.status)
		require.JSONEq(t, `{"detail":"wait"}`, each.body)
		require.NotContains(t, each.header, httpx.HeaderPause)
	}
}

func TestNoAnswerIsHeldBackForLongerThanASecondOrForNonsense(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string][]time.Duration{
		"1.5s": {time.Second}, "1000000h": {time.Second}, "999.999999ms": {time.Second - time.Nanosecond}, "0s": nil, "-5s": nil, "soon": nil, "": nil,
	} {
		var paused []time.Duration
		proxy := forwardTo(t, upstream(t, pausing(asked)), setup{
			pause: func(_ context.Context, while time.Duration) { paused = append(paused, while) },
		})
		require.Equal(t, http.StatusTooManyRequests, proxy.ask(t, http.MethodGet, "/paused", "", nil).status)
		require.Equal(t, want, paused, asked)
	}
}
