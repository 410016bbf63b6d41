package token

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/fault"
	"oms.internal/servers/testservers"
)

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
			_, err := verifier.Verify(t.Context(), client, []string{"Token " + issuer.Sign(t, testkit.Claims(7, 70, now), nil)})
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
	testservers.Run(t, keys.Run)

	<-asked
	_, err = newVerifier(t, keys, revoked{}).Verify(t.Context(), client, []string{"Token x"})
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	require.Error(t, keys.Ready())

	up.Store(true)
	<-keys.storage.loaded
	require.NoError(t, keys.Ready())
}
