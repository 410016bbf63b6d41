package token

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/fault"
)

func TestNewSigningKeyIsAcceptedAtOnceByAllRequests(t *testing.T) {
	t.Parallel()
	before, after := testkit.NewIssuer(t), testkit.NewIssuer(t)
	var rotated atomic.Bool
	var fetches atomic.Int32
	verifier := newVerifier(t, publish(t, func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		if rotated.Load() {
			testkit.WriteKeys(w, before, after)
			return
		}
		testkit.WriteKeys(w, before)
	}), revoked{})
	rotated.Store(true)
	signed := after.Sign(t, testkit.Claims(7, 70, now), nil)
	var requests sync.WaitGroup
	failures := make(chan error, 20)
	for range cap(failures) {
		requests.Go(func() {
			_, err := verifier.Verify(t.Context(), []string{"Token " + signed})
			failures <- err
		})
	}
	requests.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, int32(2), fetches.Load(), "at the start and once for all")
}

func TestUnknownKeysCauseNoMoreThanOneFetchPerSecond(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	var fetches atomic.Int32
	keys := publish(t, func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		testkit.WriteKeys(w, issuer)
	})
	clock := now
	keys.now = func() time.Time { return clock }
	verifier := newVerifier(t, keys, revoked{})
	for range 50 {
		requireInvalid(t, verifier, testkit.NewIssuer(t).Sign(t, testkit.Claims(7, 70, now), nil))
	}
	require.Equal(t, int32(2), fetches.Load())
	clock = clock.Add(unknownKeyInterval)
	requireInvalid(t, verifier, testkit.NewIssuer(t).Sign(t, testkit.Claims(7, 70, now), nil))
	require.Equal(t, int32(3), fetches.Load())
}

func TestLastGoodKeysStayWhateverAccountsAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an error":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"no keys":        func(w http.ResponseWriter, _ *http.Request) { testkit.WriteKeys(w) },
		"something else": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := testkit.NewIssuer(t)
			var failing atomic.Bool
			keys := publish(t, func(w http.ResponseWriter, request *http.Request) {
				if failing.Load() {
					answer(w, request)
					return
				}
				testkit.WriteKeys(w, issuer)
			})
			failing.Store(true)
			require.Error(t, keys.fetch(t.Context()))
			verifier := newVerifier(t, keys, revoked{})
			_, err := verifier.Verify(t.Context(), []string{"Token " + issuer.Sign(t, testkit.Claims(7, 70, now), nil)})
			require.NoError(t, err)
		})
	}
}

func TestKeysAreFetchedOnceAccountsComesUp(t *testing.T) {
	t.Parallel()
	issuer := testkit.NewIssuer(t)
	var up atomic.Bool
	asked := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		testkit.WriteKeys(w, issuer)
	}))
	t.Cleanup(server.Close)
	keys, err := NewKeys(server.URL, server.Client(), slog.New(slog.DiscardHandler), time.Now)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- keys.Run(ctx) }()

	<-asked
	_, err = newVerifier(t, keys, revoked{}).Verify(t.Context(), []string{"Token x"})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Error(t, keys.Ready())

	up.Store(true)
	<-keys.storage.loaded
	require.NoError(t, keys.Ready())
	stop()
	require.NoError(t, <-ended)
}
