package proxy

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/gateway/internal/testkit"
	"oms.internal/libs/httpx"
)

// one is an instance that the test plays.
type one struct {
	url      string
	asked    atomic.Int32
	draining atomic.Bool
}

// play starts an instance that answers 200; before may do something else first.
func play(t *testing.T, before http.HandlerFunc) *one {
	t.Helper()
	instance := &one{}
	instance.url = upstream(t, func(w http.ResponseWriter, request *http.Request) {
		instance.asked.Add(1)
		if before != nil {
			before(w, request)
		}
		if instance.draining.Load() {
			w.Header().Set(httpx.HeaderDraining, "1")
			w.Header().Set("Connection", "close")
		}
	})
	return instance
}

// nobody is the address of an instance that is not there.
func nobody(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func addresses(instances ...*one) string {
	var texts []string
	for _, instance := range instances {
		texts = append(texts, instance.url)
	}
	return strings.Join(texts, " ")
}

func TestInstancesTakeTurns(t *testing.T) {
	t.Parallel()
	a, b, c := play(t, nil), play(t, nil), play(t, nil)
	proxy := forwardTo(t, addresses(a, b, c), setup{})
	for range 10 {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			require.Equal(t, http.StatusOK, proxy.ask(t, method, "/orders/", "{}", nil).status)
		}
	}
	require.Equal(t, []int32{10, 10, 10}, []int32{a.asked.Load(), b.asked.Load(), c.asked.Load()})
}

func TestRequestGoesToTheNextInstanceWhereNothingWasSent(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, nobody(t)+" "+address+" "+nobody(t), setup{})
	for _, method := range append([]string{http.MethodGet, http.MethodHead}, writing...) {
		for range 3 {
			require.Equal(t, http.StatusOK, proxy.ask(t, method, "/orders/1", "whole", nil).status, method)
			if request := <-got; writes(method) {
				require.Equal(t, "whole", request.body)
			}
		}
	}
}

func TestDrainingInstanceIsLeftOutUntilItAnswersAgain(t *testing.T) {
	t.Parallel()
	watch := testkit.Noon()
	a, b := play(t, nil), play(t, nil)
	proxy := forwardTo(t, addresses(a, b), setup{now: watch.Now})
	get := func(times int) {
		t.Helper()
		for range times {
			reply := proxy.ask(t, http.MethodGet, "/orders/", "", nil)
			require.Equal(t, http.StatusOK, reply.status)
			require.NotContains(t, reply.header, httpx.HeaderDraining)
		}
	}
	get(4)
	a.draining.Store(true)
	get(20)
	require.Equal(t, []int32{3, 21}, []int32{a.asked.Load(), b.asked.Load()}, "one answer was enough")

	watch.Advance(outFor + time.Millisecond)
	get(20)
	require.Equal(t, []int32{4, 40}, []int32{a.asked.Load(), b.asked.Load()}, "one request tried it")

	a.draining.Store(false)
	watch.Advance(outFor + time.Millisecond)
	get(20)
	require.Equal(t, []int32{14, 50}, []int32{a.asked.Load(), b.asked.Load()}, "it is back")
}

func TestWhereAllAreLeftOutTheOneForLongestIsAsked(t *testing.T) {
	t.Parallel()
	watch := testkit.Noon()
	a, b := play(t, nil), play(t, nil)
	proxy := forwardTo(t, addresses(a, b), setup{now: watch.Now})
	a.draining.Store(true)
	for range 2 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/", "", nil).status)
	}
	a.draining.Store(false)
	b.draining.Store(true)
	watch.Advance(outFor / 2)
	require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/", "", nil).status)
	require.Equal(t, []int32{1, 2}, []int32{a.asked.Load(), b.asked.Load()}, "both are out now")
	for range 5 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodPost, "/orders/", "{}", nil).status)
	}
	require.Equal(t, []int32{6, 2}, []int32{a.asked.Load(), b.asked.Load()})
}

func TestInstanceThatComesBackIsUsedAgain(t *testing.T) {
	t.Parallel()
	watch := testkit.Noon()
	back := listen(t)
	address := back.Addr().String()
	require.NoError(t, back.Close())
	a := play(t, nil)
	proxy := forwardTo(t, "http://"+address+" "+a.url, setup{now: watch.Now})
	get := func() answer { return proxy.ask(t, http.MethodGet, "/orders/", "", nil) }
	for range 4 {
		require.Equal(t, http.StatusOK, get().status)
	}
	var asked atomic.Int32
	listenAt(t, address, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	for range 4 {
		require.Equal(t, http.StatusOK, get().status)
	}
	require.Zero(t, asked.Load(), "it is not tried yet")
	watch.Advance(outFor + time.Millisecond)
	for range 4 {
		require.Equal(t, http.StatusOK, get().status)
	}
	require.Equal(t, int32(2), asked.Load())
}

func TestHangingInstanceIsLeftOut(t *testing.T) {
	t.Parallel()
	watch := testkit.Noon()
	ended := make(chan struct{})
	hanging := play(t, func(http.ResponseWriter, *http.Request) {
		watch.Advance(hangTime)
		<-ended
	})
	t.Cleanup(func() { close(ended) })
	good := play(t, nil)
	proxy := forwardTo(t, addresses(hanging, good), setup{now: watch.Now, timeout: 1500 * time.Millisecond})
	for range 10 {
		_ = proxy.ask(t, http.MethodGet, "/orders/", "", nil)
	}
	require.Equal(t, int32(1), hanging.asked.Load(), "the first time-out was enough")
	require.Equal(t, int32(9), good.asked.Load())
}

func TestHangingInstanceIsLeftOutBeforeItsRequestsTimeOut(t *testing.T) {
	t.Parallel()
	watch := testkit.Noon()
	began, release := make(chan struct{}, 10), make(chan struct{})
	hanging := play(t, func(http.ResponseWriter, *http.Request) {
		began <- struct{}{}
		<-release
	})
	good := play(t, nil)
	proxy := forwardTo(t, addresses(good, hanging), setup{now: watch.Now})
	waiting := make(chan int, 1)
	go func() { waiting <- send(t, &http.Transport{DisableKeepAlives: true}, http.MethodPost, proxy.url, "x") }()
	<-began
	watch.Advance(hangTime)
	for range 10 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodPost, "/orders/", "{}", nil).status)
	}
	require.Equal(t, int32(10), good.asked.Load())
	close(release)
	require.Equal(t, http.StatusOK, <-waiting, "whom it keeps waiting still gets its answer")
	watch.Advance(outFor)
	for range 4 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodPost, "/orders/", "{}", nil).status)
	}
	require.Equal(t, int32(12), good.asked.Load(), "it is back")
}

func TestWhatWasSentIsNotSentToAnotherInstanceIfItMayChangeSomething(t *testing.T) {
	t.Parallel()
	cut := func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	}
	for _, method := range writing {
		a, b := play(t, cut), play(t, cut)
		proxy := forwardTo(t, addresses(a, b), setup{})
		for i := range int32(4) {
			reply := proxy.ask(t, method, "/orders/1", "{}", http.Header{"Idempotency-Key": {"1"}})
			require.Equal(t, "outcome_unknown", reply.code(t), method)
			require.Equal(t, i+1, a.asked.Load()+b.asked.Load(), method)
		}
	}
	cutting, good := play(t, cut), play(t, nil)
	proxy := forwardTo(t, addresses(cutting, good), setup{})
	for range 6 {
		require.Equal(t, http.StatusOK, proxy.ask(t, http.MethodGet, "/orders/", "", nil).status, "a read is")
	}
	require.Equal(t, int32(6), good.asked.Load())
}

func TestTheIdempotencyKeyOfAWritePassesAndOfNothingElse(t *testing.T) {
	t.Parallel()
	address, got := record(t)
	proxy := forwardTo(t, address, setup{})
	for _, method := range append([]string{http.MethodGet}, writing...) {
		reply := proxy.ask(t, method, "/orders/1", "{}", http.Header{"Idempotency-Key": {"a key"}})
		require.Equal(t, http.StatusOK, reply.status)
		require.Equal(t, writes(method), (<-got).header.Get("Idempotency-Key") == "a key", method)
	}
	// The service has to see what it must refuse.
	for _, keys := range [][]string{{""}, {"a", "b"}} {
		reply := proxy.ask(t, http.MethodPost, "/orders/", "{}", http.Header{"Idempotency-Key": keys})
		require.Equal(t, http.StatusOK, reply.status)
		require.Equal(t, keys, (<-got).header.Values("Idempotency-Key"))
	}
}

func TestNotModifiedPassesWithoutABody(t *testing.T) {
	t.Parallel()
	proxy := forwardTo(t, upstream(t, func(w http.ResponseWriter, request *http.Request) {
		w.Header().Set("ETag", request.Header.Get("If-None-Match"))
		w.WriteHeader(http.StatusNotModified)
	}), setup{})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		reply := proxy.ask(t, method, "/orders/1", "", http.Header{"If-None-Match": {`"1-x"`}})
		require.Equal(t, http.StatusNotModified, reply.status)
		require.Equal(t, `"1-x"`, reply.header.Get("Etag"))
		require.Empty(t, reply.body)
		require.NotContains(t, reply.header, "Content-Length", method)
	}
}
