package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/runner"
)

func TestConnectionsAreAcceptedOnceTheProcessIsReadyAndAtTheLatestAfterTenSeconds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		readyAfter, opensAfter time.Duration
		log                    string
	}{
		"at once": {0, 0, "connections are accepted\""},
		"later":   {50 * time.Millisecond, 50 * time.Millisecond, "keys are missing"},
		"never":   {time.Hour, 10 * time.Second, "although the process is not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var log bytes.Buffer
				door := &opening{log: slog.New(slog.NewJSONHandler(&log, nil)), ready: func() error {
					if time.Since(began) < test.readyAfter {
						return errors.New("keys are missing")
					}
					return nil
				}}
				require.Error(t, door.Ready())
				require.True(t, door.wait(t.Context()))
				require.Equal(t, test.opensAfter, time.Since(began))
				require.NoError(t, door.Ready())
				require.Contains(t, log.String(), test.log)
			})
		})
	}
}

func TestAProcessThatEndsBeforeItIsReadyAcceptsNothing(t *testing.T) {
	t.Parallel()
	door := &opening{log: slog.New(slog.DiscardHandler), ready: func() error { return errors.New("never") }}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, door.wait(ctx))
	require.Error(t, door.Ready())
}

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
	require.Eventually(t, func() bool { return runner.Probe(t.Context(), where.admin.String(), io.Discard) != nil }, patience, time.Millisecond)
	require.False(t, answered.Load())
	n.answerRevocations(t)
	for range clients {
		require.Equal(t, http.StatusOK, <-statuses)
	}
	awaitReady(t, where)
}
