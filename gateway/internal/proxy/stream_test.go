package proxy

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// streamed asks for an answer whose body may be longer than memory.
func (p proxied) streamed(t *testing.T) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/orders/export", nil)
	require.NoError(t, err)
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestAStreamOutlivesTheDeadlineAndTheLimitOfOtherAnswers(t *testing.T) {
	t.Parallel()
	// A busy machine may miss a short deadline before the stream has begun, so the deadline grows until the stream is in time.
	for timeout := time.Second; !outlives(t, timeout); timeout *= 2 {
		require.Less(t, timeout, time.Minute)
	}
}

// outlives has a stream go on after the deadline of its request. It reports whether the stream began before.
func outlives(t *testing.T, timeout time.Duration) bool {
	t.Helper()
	goOn := make(chan struct{})
	piece := strings.Repeat("x", 64<<10)
	p := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(httpx.HeaderStream, "1")
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, piece)
		w.(http.Flusher).Flush()
		<-goOn
		for range 2 * MaxAnswer / len(piece) {
			_, _ = io.WriteString(w, piece)
		}
	}), setup{timeout: timeout})
	time.AfterFunc(2*timeout, func() { close(goOn) })
	response := p.streamed(t)
	if response.StatusCode == http.StatusGatewayTimeout {
		return false
	}
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/csv", response.Header.Get("Content-Type"))
	require.Empty(t, response.Header.Get(httpx.HeaderStream))
	count, err := io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.Equal(t, int64(len(piece)+2*MaxAnswer), count)
	return true
}

func TestAStreamThatBreaksOffBreaksOffAtTheClientToo(t *testing.T) {
	t.Parallel()
	p := forwardTo(t, upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(httpx.HeaderStream, "1")
		_, _ = io.WriteString(w, strings.Repeat("x", 64<<10))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}), setup{})
	_, err := io.Copy(io.Discard, p.streamed(t).Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// endless streams until its client leaves, and closes ended then.
func endless(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		w.Header().Set(httpx.HeaderStream, "1")
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				return
			}
		}
	}
}

func TestAStreamIsCutOnceItsTokenCountsNoMore(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	var revoked atomic.Bool
	p := forwardTo(t, upstream(t, endless(ended)), setup{valid: func(context.Context) error {
		if revoked.Load() {
			return fault.New(fault.Unauthenticated, "the session ended", nil)
		}
		return nil
	}})
	response := p.streamed(t)
	require.Equal(t, http.StatusOK, response.StatusCode)
	_, err := io.CopyN(io.Discard, response.Body, 1<<20)
	require.NoError(t, err)
	revoked.Store(true)
	_, err = io.Copy(io.Discard, response.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	<-ended
}

func TestAClientThatLeavesEndsTheStreamAtTheService(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	p := forwardTo(t, upstream(t, endless(ended)), setup{})
	response := p.streamed(t)
	require.NoError(t, response.Body.Close())
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the service still writes")
	}
}
