package load_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/stretchr/testify/require"

	"oms.internal/deploy/bench/internal/load"
)

func TestALoopCountsWhatItFinishesAndTakesNoLongerForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context, int, int) error {
			time.Sleep(300 * time.Millisecond) //nolint:forbidigo // on the clock of the bubble
			return nil
		}
		rate, err := load.Loop(t.Context(), 4, time.Second, slow)
		require.NoError(t, err)
		require.InDelta(t, 4/0.3, rate, 1e-6, "what had begun is finished, and the time counts until then")
		measured, err := load.Timed(t.Context(), 1, time.Second, slow)
		require.NoError(t, err)
		require.Equal(t, []time.Duration{300 * time.Millisecond, 300 * time.Millisecond}, []time.Duration{measured.P50, measured.P99})
	})
}

func TestTheFirstErrorEndsALoop(t *testing.T) {
	t.Parallel()
	wrong := errors.New("a wrong answer")
	_, err := load.Loop(t.Context(), 4, time.Hour, func(_ context.Context, worker, turn int) error {
		if worker == 2 && turn == 10 {
			return wrong
		}
		return nil
	})
	require.ErrorIs(t, err, wrong)
}

func TestPartialAnswersDoNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rate, err := load.Loop(t.Context(), 1, time.Second, func(_ context.Context, _, turn int) error {
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // on the clock of the bubble
			if turn%2 == 0 {
				return load.ErrPartial
			}
			return nil
		})
		require.NoError(t, err)
		require.InDelta(t, 5, rate, 1e-6)
	})
}

func TestAConstantRateCountsAnswersByTheirStatus(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "Token good" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	var turn atomic.Int64 // several workers ask for targets
	answers, err := load.Constant(t.Context(), 50, time.Second, func(target *vegeta.Target) error {
		*target = load.Target(http.MethodGet, server.URL, []string{"good", "bad"}[turn.Add(1)%2], nil)
		return nil
	}, nil)
	require.NoError(t, err)
	require.Len(t, answers, 2)
	require.InDelta(t, answers[http.StatusOK].Count, answers[http.StatusUnauthorized].Count, 1)
	_, err = load.Constant(t.Context(), 50, time.Minute, func(target *vegeta.Target) error {
		*target = load.Target(http.MethodGet, server.URL, "bad", nil)
		return nil
	}, func(result *vegeta.Result) error {
		if result.Code != http.StatusOK {
			return errors.New("a wrong answer")
		}
		return nil
	})
	require.ErrorContains(t, err, "a wrong answer")
}
