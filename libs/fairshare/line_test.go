package fairshare

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
)

// works has clients enter a line in the order of the calls, within a bubble of synctest.
type works struct {
	line    *Line[string]
	started []string
	leave   []func()
	mu      sync.Mutex
}

// enter returns when the work runs or waits.
func (w *works) enter(ctx context.Context, client string) {
	go func() {
		leave, err := w.line.Enter(ctx, client, 1)
		if err != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.started = append(w.started, client)
		w.leave = append(w.leave, leave)
	}()
	synctest.Wait()
}

// next ends the work that was started first of those that run.
func (w *works) next() {
	leave := w.leave[0]
	w.leave = w.leave[1:]
	leave()
	synctest.Wait()
}

func TestClientsTakeTurnsHoweverMuchOneOfThemAsks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 16})}
		for range 5 {
			w.enter(t.Context(), "a")
		}
		for range 2 {
			w.enter(t.Context(), "b")
		}
		w.enter(t.Context(), "c")
		for len(w.leave) > 0 {
			w.next()
		}
		require.Equal(t, []string{"a", "a", "b", "c", "a", "b", "a", "a"}, w.started)
		require.Empty(t, w.line.clients, "a client without works is forgotten")
		require.Empty(t, w.line.round)
		require.Zero(t, w.line.running+w.line.places)
	})
}

func TestAClientTakesNoMorePlacesInTheLineThanAreFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 8})}
		for range 5 { // one runs, and half of the places
			w.enter(t.Context(), "a")
		}
		_, err := w.line.Enter(t.Context(), "a", 1)
		require.True(t, fault.Is(err, fault.TooManyRequests), "%v", err)
		require.Equal(t, err, w.line.Ready("a"))
		require.NoError(t, w.line.Ready("b"))
		_, err = w.line.Enter(t.Context(), "b", 5)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		for _, client := range []string{"b", "c", "d", "e"} {
			w.enter(t.Context(), client)
		}
		require.NoError(t, w.line.Ready("f"))
		require.True(t, fault.Is(w.line.Ready("a"), fault.Unavailable), "no place is left")
		for len(w.leave) > 0 {
			w.next()
		}
		require.Equal(t, []string{"a", "a", "b", "c", "d", "e", "a", "a", "a"}, w.started)
	})
}

func TestTheLastWorkOfTheClientThatWaitsWithMostMakesRoomForOneWhoHasLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 7})}
		for _, client := range []string{"a", "a", "a", "a", "b", "b", "c"} { // one of a runs, three wait
			w.enter(t.Context(), client)
		}
		w.enter(t.Context(), "d")
		require.Equal(t, 7, w.line.places)
		w.enter(t.Context(), "e")
		w.enter(t.Context(), "f")
		w.enter(t.Context(), "g")
		for len(w.leave) > 0 {
			w.next()
		}
		require.Equal(t, []string{"a", "a", "b", "c", "d", "e", "f", "g"}, w.started, "a and b keep one each")
		require.Empty(t, w.line.clients)
		require.Zero(t, w.line.running+w.line.places)
		require.InDelta(t, 3, gathered(t, w.line.Collectors())[`fairshare_refusals_total{reason="share",resource="hash"}`], 0)
	})
}

func TestNoWorkIsRefusedInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		line := NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 12})
		w := &works{line: line}
		for _, client := range []string{"a", "a", "a", "a", "a", "a", "a", "b", "b", "b"} { // one of a runs, six wait
			w.enter(t.Context(), client)
		}
		for _, client := range []string{"c", "d", "e"} {
			w.enter(t.Context(), client)
		}
		require.Equal(t, 12, line.places)

		_, err := line.Enter(t.Context(), "f", 5)
		require.True(t, fault.Is(err, fault.Unavailable), "%v: a has no more than one place beyond those that f would have", err)
		_, err = line.Enter(t.Context(), "b", 3)
		require.Error(t, err)
		require.Equal(t, 12, line.places, "nobody was refused for those who were refused themselves")

		w.enter(t.Context(), "b")
		require.Equal(t, 12, line.places, "one work was refused for one")
		for len(w.leave) > 0 {
			w.next()
		}
		require.Equal(t, []string{"a", "a", "b", "c", "d", "e", "a", "b", "a", "b", "a", "b", "a"}, w.started)
	})
}

func TestAClientIsReadyOnlyIfItsWorkIsAdmitted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		line := NewLine[int](LineOptions{Resource: "hash", Running: 1, Waiting: 9})
		for i := range 40 {
			client := i * i % 7
			refused := make(chan error, 1)
			ready := line.Ready(client)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_, err := line.Enter(ctx, client, 1)
				refused <- err
			}()
			synctest.Wait()
			select {
			case err := <-refused:
				require.Equal(t, err, ready, "work %d", i)
			default:
				require.NoError(t, ready, "work %d", i)
			}
		}
	})
}

func TestAWorkOfManyPlacesMakesRoomWholeAndItsClientIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 4})}
		w.enter(t.Context(), "a")
		refused := make(chan error, 1)
		go func() {
			_, err := w.line.Enter(t.Context(), "b", 2)
			refused <- err
		}()
		synctest.Wait()
		for _, client := range []string{"c", "d", "e"} {
			w.enter(t.Context(), client)
		}
		require.True(t, fault.Is(<-refused, fault.TooManyRequests))
		synctest.Wait()
		require.NotContains(t, w.line.clients, "b")
		require.Equal(t, 3, w.line.places)
	})
}

func TestLongWorksOfOneClientLeaveRoomForOthersToStartAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "search", Running: 4, Waiting: 8, Long: true})}
		for _, client := range []string{"a", "a", "a", "b", "b", "c"} {
			w.enter(t.Context(), client)
		}
		require.Equal(t, []string{"a", "a", "b", "c"}, w.started)
		w.next()
		require.Len(t, w.started, 4, "the only free place is left to others")
		w.next()
		require.Equal(t, []string{"a", "a", "b", "c", "a"}, w.started)
	})
}

func TestWhoGoesAwayLeavesTheLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &works{line: NewLine[string](LineOptions{Resource: "hash", Running: 1, Waiting: 8})}
		w.enter(t.Context(), "a")
		ctx, cancel := context.WithCancel(t.Context())
		w.enter(ctx, "b")
		w.enter(t.Context(), "c")
		require.Equal(t, map[string]float64{
			`fairshare_refusals_total{reason="full",resource="hash"}`: 0, `fairshare_refusals_total{reason="share",resource="hash"}`: 0,
			`fairshare_refusals_total{reason="time",resource="hash"}`: 0,
			`fairshare_used{resource="hash"}`:                         1, `fairshare_waiting{resource="hash"}`: 2,
		}, gathered(t, w.line.Collectors()))
		cancel()
		synctest.Wait()
		_, err := w.line.Enter(ctx, "b", 1)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.InDelta(t, 2, gathered(t, w.line.Collectors())[`fairshare_refusals_total{reason="time",resource="hash"}`], 0)
		w.next()
		require.Equal(t, []string{"a", "c"}, w.started)
		w.next()
		require.Empty(t, w.line.clients)
		require.Zero(t, w.line.running+w.line.places)
	})
}
