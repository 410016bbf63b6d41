package httpx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// counted are the counts of the lines about refusals, by reason.
func counted(t *testing.T, logged string) map[string][]int {
	t.Helper()
	counts := map[string][]int{}
	for line := range strings.Lines(logged) {
		var read struct {
			Msg, Reason string
			Count       int
		}
		require.NoError(t, json.Unmarshal([]byte(line), &read))
		if read.Msg == "requests refused" {
			counts[read.Reason] = append(counts[read.Reason], read.Count)
		}
	}
	return counts
}

// pass lets the time of a bubble pass, and what is due happen.
func pass(length time.Duration) {
	<-time.After(length)
	synctest.Wait()
}

// kinds is how many kinds of refusals are counted.
func (r *refusals) kinds() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.counts)
}

func TestASeriesOfRefusalsIsALineWithACountEveryFewSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		refusals := newRefusals(slog.New(slog.NewJSONHandler(&logged, nil)))
		few := refusal{"GET", "/orders/", 429, "few"}
		many := refusal{"POST", "/auth/login", 503, "many"}
		refusals.note(t.Context(), few)
		for range 8500 {
			refusals.note(t.Context(), many)
		}
		pass(refusalsTime + time.Second)
		for range 3 {
			refusals.note(t.Context(), many)
		}
		pass(3 * refusalsTime)
		refusals.note(t.Context(), many)
		pass(3 * refusalsTime)
		require.Equal(t, map[string][]int{"few": {1}, "many": {1, 8499, 3, 1}}, counted(t, logged.String()))
		require.Zero(t, refusals.kinds())
	})
}

func TestTheKindsOfRefusalsThatAreToldApartAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		refusals := newRefusals(slog.New(slog.NewJSONHandler(&logged, nil)))
		for i := range 2 * maxRefusals {
			refusals.note(t.Context(), refusal{reason: fmt.Sprint(i)})
		}
		require.Equal(t, maxRefusals+1, refusals.kinds())
		pass(3 * refusalsTime)
		require.Equal(t, []int{1, maxRefusals - 1}, counted(t, logged.String())["others"])
	})
}

// answering returns the log of an app that answers with an error, as many times as it is asked, and its last answer's headers.
func answering(t *testing.T, service bool, times int, err error) (logged string, header func(string) string) {
	t.Helper()
	var log bytes.Buffer
	app := New(Options{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: prometheus.NewRegistry(), Timeout: time.Minute, TrustRequestID: service,
	})
	app.Get("/", func(*fiber.Ctx) error { return err })
	for range times {
		response, testErr := app.Test(httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), -1)
		require.NoError(t, testErr)
		require.NoError(t, response.Body.Close())
		header = response.Header.Get
	}
	return log.String(), header
}

func TestRefusalsForTooManyRequestsShareALineAndFailuresHaveOneEach(t *testing.T) {
	t.Parallel()
	places := fairshare.NewPool[int]("places", 1)
	require.NoError(t, places.Take(1, 1))
	for name, err := range map[string]error{
		"all is taken": places.Take(2, 1), "throttled": fault.NewTooManyRequests(time.Second),
	} {
		logged, header := answering(t, true, 10, err)
		require.Equal(t, 1, strings.Count(logged, `"msg"`), name)
		require.NotContains(t, logged, "ERROR", name)
		require.NotEmpty(t, header(HeaderRefused), name)
		require.Empty(t, header(HeaderReason), name)
	}
	logged, header := answering(t, true, 10, fault.NewUnavailable(errors.New("the \r\n database is 가way")))
	require.Equal(t, 10, strings.Count(logged, `"level":"ERROR","msg":"request"`))
	require.Equal(t, `unavailable: The service is temporarily unavailable. Please try again.: the \r\n database is \uac00way`, header(HeaderReason))
	require.Empty(t, header(HeaderRefused))
	_, header = answering(t, true, 1, fault.NewUnavailable(errors.New(strings.Repeat("x", 1000))))
	require.Len(t, header(HeaderReason), maxReason)
}

func TestTheGatewayTellsNoClientItsReasons(t *testing.T) {
	t.Parallel()
	_, header := answering(t, false, 1, fault.NewUnavailable(errors.New("a secret of ours")))
	require.Empty(t, header(HeaderReason))
	_, header = answering(t, false, 1, fault.NewTooManyRequests(time.Second))
	require.Empty(t, header(HeaderRefused))
}
