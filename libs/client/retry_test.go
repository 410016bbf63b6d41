package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// The three kinds of calls: one that reads, one that has the effect of one however often it is sent, and one that may not be sent again
// where it may have been done.
var calls = map[string]func(context.Context, *client.Client) error{
	"read": func(ctx context.Context, c *client.Client) error {
		_, err := c.GetOrder(ctx, 12, nil)
		return err
	},
	"write with a key": func(ctx context.Context, c *client.Client) error {
		_, err := c.CreateOrder(ctx, api.NewOrder{ProductName: "꽃"}, nil)
		return err
	},
	"write without a key": func(ctx context.Context, c *client.Client) error {
		_, err := c.ChangeMember(ctx, 7, api.MemberChange{Nickname: new("dream")}, nil)
		return err
	},
}

func TestACallIsSentAgainOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	proxy := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", status) }
	}
	type repeated struct{ read, keyed, keyless bool }
	all, safe, none := repeated{true, true, true}, repeated{true, true, false}, repeated{}
	for name, test := range map[string]struct {
		failure http.HandlerFunc
		again   repeated
	}{
		"malformed":              {refuse(400, fault.Malformed, 0), none},
		"invalid":                {refuse(400, fault.Invalid, 0), none},
		"forbidden":              {refuse(403, fault.Forbidden, 0), none},
		"not found":              {refuse(404, fault.NotFound, 0), none},
		"conflict":               {refuse(409, fault.Conflict, 0), none},
		"still being done":       {refuse(409, fault.Conflict, 1), all},
		"precondition failed":    {refuse(412, fault.PreconditionFailed, 0), none},
		"key reused":             {refuse(422, fault.KeyReused, 0), none},
		"too many":               {refuse(429, fault.TooManyRequests, 1), all},
		"internal":               {refuse(500, fault.Internal, 0), repeated{keyed: true}},
		"unavailable":            {refuse(503, fault.Unavailable, 1), all},
		"outcome unknown":        {refuse(503, fault.OutcomeUnknown, 1), safe},
		"timeout":                {refuse(504, fault.Timeout, 0), safe},
		"connection lost":        {lose, safe},
		"a proxy's bad gateway":  {proxy(http.StatusBadGateway), safe},
		"a proxy's refusal":      {proxy(http.StatusForbidden), none},
		"an answer breaks off":   {breakOff, safe},
		"unknown to this client": {refuse(500, "new", 0), none},
	} {
		for kind, again := range map[string]bool{
			"read": test.again.read, "write with a key": test.again.keyed, "write without a key": test.again.keyless,
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				var shown seen[string]
				c, made := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
					if shown.add(r.Header.Get("Idempotency-Key")) == 1 {
						test.failure(w, r)
						return
					}
					send(w, "application/json", http.StatusOK, anOrder(12))
				})
				err := calls[kind](t.Context(), c)
				keys, waited := shown.all(), made.all()
				if !again {
					require.Error(t, err)
					require.Len(t, keys, 1)
					require.Empty(t, waited)
					return
				}
				require.NoError(t, err)
				require.Len(t, keys, 2)
				require.Len(t, waited, 1)
				require.Equal(t, keys[0], keys[1], "a repetition has the same key")
				require.Equal(t, kind == "write with a key", keys[0] != "")
			})
		}
	}
}

// breakOff announces a longer answer than it sends.
func breakOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`{"id":`))
}

func TestEachCallHasItsOwnKeyUnlessTheCallerGivesOne(t *testing.T) {
	t.Parallel()
	var shown seen[string]
	c, _ := gateway(t, client.Options{}, func(w http.ResponseWriter, r *http.Request) {
		shown.add(r.Header.Get("Idempotency-Key"))
		send(w, "application/json", http.StatusOK, anOrder(12))
	})
	ctx := t.Context()
	for _, key := range []*string{nil, nil, new("kept before")} {
		require.NoError(t, errors.Join(
			second(c.CreateOrder(ctx, api.NewOrder{}, &api.CreateOrderParams{IdempotencyKey: key})),
			second(c.ReplaceOrder(ctx, 12, api.OrderReplacement{}, &api.ReplaceOrderParams{IdempotencyKey: key})),
			second(c.ChangeOrder(ctx, 12, api.OrderChange{}, &api.ChangeOrderParams{IdempotencyKey: key})),
			second(c.TransitionOrder(ctx, 12, api.Transition{}, &api.TransitionOrderParams{IdempotencyKey: key})),
			c.DeleteOrder(ctx, 12, &api.DeleteOrderParams{IdempotencyKey: key}),
			second(c.SignUp(ctx, api.NewMember{}, &api.SignUpParams{IdempotencyKey: key})),
		))
	}
	keys := shown.all()
	require.Len(t, keys, 18)
	used := map[string]bool{}
	for i, key := range keys {
		if i < 12 {
			require.False(t, used[key], "key %d was used before", i)
			require.GreaterOrEqual(t, len(key), 26)
			used[key] = true
			continue
		}
		require.Equal(t, "kept before", key)
	}
}

func second[T any](_ T, err error) error { return err }

func TestACallThatNeverReachedTheGatewayIsSentAgain(t *testing.T) {
	t.Parallel()
	for kind, call := range calls {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var dials atomic.Int64
			transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials.Add(1) == 1 {
					address = "127.0.0.1:1" // where nobody listens
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}}
			c, made := gateway(t, client.Options{HTTP: &http.Client{Transport: transport}}, answerWith(anOrder(12)))
			require.NoError(t, call(t.Context(), c))
			require.Len(t, made.all(), 1)
		})
	}
}

func TestWaitsFollowRetryAfterOrDoubleAndHaveAPartByChance(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failure http.HandlerFunc
		chance  float64
		want    []time.Duration
	}{
		"least": {lose, 0, []time.Duration{50e6, 100e6, 200e6, 400e6, 800e6, 1600e6, 2500e6, 2500e6}},
		"most":  {lose, 1, []time.Duration{100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 5000e6, 5000e6}},
		"retry after": {refuse(503, fault.Unavailable, 2), 0.5,
			[]time.Duration{2075e6, 2150e6, 2300e6, 2600e6, 3200e6, 4400e6, 5750e6, 5750e6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, made := gateway(t, client.Options{Attempts: 9, Random: func() float64 { return test.chance }}, test.failure)
			_, err := c.GetOrder(t.Context(), 12, nil)
			require.Error(t, err)
			require.Equal(t, test.want, made.all())
		})
	}
}

func TestTheLongestWaitStaysTheSameHoweverManyAttemptsThereAre(t *testing.T) {
	t.Parallel()
	c, made := gateway(t, client.Options{Attempts: 200}, refuse(504, fault.Timeout, 0))
	_, err := c.GetOrder(t.Context(), 12, nil)
	require.Error(t, err)
	waited := made.all()
	require.Len(t, waited, 199)
	for _, wait := range waited[6:] {
		require.Equal(t, 2500*time.Millisecond, wait)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[int]int64{0: 5, 1: 1, 3: 3} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			c, _ := gateway(t, client.Options{Attempts: attempts}, func(w http.ResponseWriter, r *http.Request) {
				sent.Add(1)
				refuse(503, fault.Unavailable, 1)(w, r)
			})
			_, err := c.CreateOrder(t.Context(), api.NewOrder{ProductName: "꽃"}, nil)
			require.Equal(t, fault.Unavailable, refused(t, err).Code)
			require.Equal(t, want, sent.Load())
		})
	}
}

func TestARefusalThatAsksForTooLongAWaitEndsTheCall(t *testing.T) {
	t.Parallel()
	untilTheEnd, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		longest time.Duration
	}{
		"longer than the client waits": {t.Context(), 0},
		"longer than the context":      {untilTheEnd, 24 * time.Hour},
	} {
		c, made := gateway(t, client.Options{LongestWait: test.longest}, refuse(429, fault.TooManyRequests, 7200))
		_, err := c.GetOrder(test.ctx, 12, nil)
		refusal := refused(t, err)
		require.Equal(t, fault.TooManyRequests, refusal.Code, name)
		require.Equal(t, 2*time.Hour, refusal.RetryAfter, name)
		require.Empty(t, made.all(), name)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	c, made := gateway(t, client.Options{}, func(_ http.ResponseWriter, r *http.Request) {
		sent.Add(1)
		cancel()
		<-r.Context().Done()
	})
	_, err := c.GetOrder(ctx, 12, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.EqualValues(t, 1, sent.Load())
	require.Empty(t, made.all())
}

// answering is a way to the gateway without a network.
type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func TestACallWhoseContextEndsBeforeItIsSentAgainTellsBoth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		unavailable := answering(func(*http.Request) (*http.Response, error) {
			recorder := httptest.NewRecorder()
			refuse(503, fault.Unavailable, 20)(recorder, nil)
			return recorder.Result(), nil
		})
		c, err := client.New("http://gateway", client.Options{HTTP: &http.Client{Transport: unavailable}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = c.GetOrder(ctx, 12, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, fault.Unavailable, refused(t, err).Code)
	})
}

func TestAnAttemptThatHangsIsGivenUpAndSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		hangs := answering(func(r *http.Request) (*http.Response, error) {
			if attempts++; attempts == 1 {
				<-r.Context().Done()
				return nil, context.Cause(r.Context())
			}
			recorder := httptest.NewRecorder()
			send(recorder, "application/json", http.StatusOK, anOrder(12))
			return recorder.Result(), nil
		})
		c, err := client.New("http://gateway", client.Options{HTTP: &http.Client{Transport: hangs}})
		require.NoError(t, err)
		began := time.Now()
		_, err = c.GetOrder(t.Context(), 12, nil)
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		took := time.Since(began)
		require.GreaterOrEqual(t, took, 15*time.Second+50*time.Millisecond)
		require.Less(t, took, 15*time.Second+100*time.Millisecond)
	})
}
