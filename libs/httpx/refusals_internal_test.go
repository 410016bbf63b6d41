package httpx

import (
	"bytes"
	"context"
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

func TestTheLastCountsAreLoggedWhenTheServerEnds(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	app := New(Options{Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: prometheus.NewRegistry(), Timeout: time.Minute})
	app.Get("/:count", func(*fiber.Ctx) error { return fault.NewTooManyRequests(time.Second) })
	for i := range 5 {
		response, err := app.Test(httptest.NewRequestWithContext(t.Context(), "GET", fmt.Sprint("/", i), nil), -1)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	require.NoError(t, app.Shutdown())
	require.Equal(t, map[string][]int{"too_many_requests": {1, 4}}, counted(t, log.String()))
	require.NoError(t, app.Shutdown())
	require.Equal(t, map[string][]int{"too_many_requests": {1, 4}}, counted(t, log.String()), "once")
}

// noting is a log that notes a refusal of another kind while it takes the first line.
type noting struct {
	slog.Handler
	refusals *refusals
	reasons  []string
}

func (n *noting) Enabled(context.Context, slog.Level) bool { return true }

func (n *noting) Handle(ctx context.Context, line slog.Record) error {
	line.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "reason" {
			n.reasons = append(n.reasons, attr.Value.String())
		}
		return true
	})
	if len(n.reasons) == 1 {
		n.refusals.note(ctx, refusal{reason: "meanwhile"})
	}
	return nil
}

func TestNoRequestWaitsWhileALineIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &noting{Handler: slog.DiscardHandler}
		log.refusals = newRefusals(slog.New(log))
		log.refusals.note(t.Context(), refusal{reason: "first"})
		require.Equal(t, []string{"first", "meanwhile"}, log.reasons)
		pass(2 * refusalsTime)
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

func TestRefusalsThatDifferOnlyInWhatAClientChoseAreOneKind(t *testing.T) {
	t.Parallel()
	places := fairshare.NewPool[int]("places", 1)
	require.NoError(t, places.Take(1, 1))
	for name, refused := range map[string]func(i int) (method string, err error){
		"the time to wait": func(i int) (string, error) { return "GET", fault.NewTooManyRequests(time.Duration(i) * time.Second) },
		"the method":       func(i int) (string, error) { return fmt.Sprint("X", i), fault.NewTooManyRequests(time.Second) },
		"what was asked":   func(i int) (string, error) { return "GET", fmt.Errorf("member %d: %w", i, places.Take(1, 1)) },
	} {
		var log bytes.Buffer
		var failure error
		app := New(Options{
			Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: prometheus.NewRegistry(), Timeout: time.Minute, TrustRequestID: true,
		})
		app.All("/", func(*fiber.Ctx) error { return failure })
		app.Add(otherMethod, "/", func(*fiber.Ctx) error { return failure })
		reasons := map[string]bool{}
		for i := range 40 {
			var method string
			method, failure = refused(i)
			response, err := app.Test(httptest.NewRequestWithContext(t.Context(), method, "/", nil), -1)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.GreaterOrEqual(t, response.StatusCode, 400, name)
			reasons[response.Header.Get(HeaderRefused)] = true
		}
		require.Len(t, reasons, 1, "%s: the gateway counts by these", name)
		require.NotContains(t, reasons, "", name)
		kinds := map[refusal]bool{}
		for line := range strings.Lines(log.String()) {
			var read struct{ Msg, Method, Route, Reason string }
			require.NoError(t, json.Unmarshal([]byte(line), &read))
			kinds[refusal{method: read.Method, route: read.Route, reason: read.Reason}] = true
		}
		require.Len(t, kinds, 1, name)
	}
}

func TestTheGatewayTellsNoClientItsReasons(t *testing.T) {
	t.Parallel()
	_, header := answering(t, false, 1, fault.NewUnavailable(errors.New("a secret of ours")))
	require.Empty(t, header(HeaderReason))
	_, header = answering(t, false, 1, fault.NewTooManyRequests(time.Second))
	require.Empty(t, header(HeaderRefused))
}
