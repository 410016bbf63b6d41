package proxy

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
)

// asked asks the instances at some addresses, separated by blanks, whether the service is ready.
func asked(t *testing.T, upstreams string) (*assertion.Verifier, func() error) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	var bases []*url.URL
	for upstream := range strings.FieldsSeq(upstreams) {
		base, err := url.Parse(upstream)
		require.NoError(t, err)
		bases = append(bases, base)
	}
	instances := NewInstances("orders", bases, slog.New(slog.DiscardHandler), time.Now)
	t.Cleanup(instances.CloseIdleConnections)
	signer := assertion.NewSigner(private, time.Now)
	return assertion.NewVerifier(public, "orders", time.Now), func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return instances.Ready(ctx, signer)
	}
}

func TestAServiceIsReadyIfAnInstanceSaysSo(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{
		http.StatusNoContent: true, http.StatusNotFound: true, // of a release that does not know the question
		http.StatusServiceUnavailable: false, http.StatusInternalServerError: false,
	} {
		instance := play(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		_, ready := asked(t, instance.url)
		require.Equal(t, want, ready() == nil, "%d", status)
	}
	_, ready := asked(t, nobody(t))
	require.Error(t, ready())
	_, ready = asked(t, nobody(t)+" "+play(t, nil).url)
	for range 3 {
		require.NoError(t, ready())
	}
}

func TestAnInstanceThatDrainsDoesNotMakeItsServiceUnready(t *testing.T) {
	t.Parallel()
	old := play(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(httpx.HeaderDraining, "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, ready := asked(t, addresses(old, play(t, nil)))
	for range 3 {
		require.NoError(t, ready())
	}
}

func TestReadinessIsAskedForInTheGatewaysOwnName(t *testing.T) {
	t.Parallel()
	heard := make(chan *http.Request, 1)
	instance := play(t, func(_ http.ResponseWriter, request *http.Request) { heard <- request })
	verifier, ready := asked(t, instance.url)
	require.NoError(t, ready())
	request := <-heard
	require.Equal(t, []string{http.MethodGet, httpx.PathReady}, []string{request.Method, request.URL.Path})
	principal, err := verifier.Verify(request.Header.Get(assertion.Header))
	require.NoError(t, err)
	require.Equal(t, authn.Principal{}, principal)
	instances := NewInstances("orders", nil, slog.New(slog.DiscardHandler), time.Now)
	require.Error(t, instances.Ready(context.Background(), nil), "a question without a deadline")
}
