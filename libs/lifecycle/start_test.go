package lifecycle_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// after returns a check that is nil once so much time has passed since the bubble began.
func after(wait time.Duration) func() error {
	began := time.Now()
	return func() error {
		if time.Since(began) < wait {
			return errors.New("it is too early")
		}
		return nil
	}
}

func TestAPartStartsWhenThoseBeforeItAreReadyAndAtTheLatestAfterTenSeconds(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	for name, test := range map[string]struct {
		prepared, usable, ready, alsoReady time.Duration
		starts                             time.Duration
		log                                string
	}{
		"all at once":                   {log: `"all parts have started"`},
		"one becomes ready":             {ready: time.Second, starts: time.Second, log: `"lacking":"it is too early"`},
		"another becomes ready":         {ready: time.Second, alsoReady: 9 * time.Second, starts: 9 * time.Second, log: `"part":"nats"`},
		"one is never ready":            {ready: never, starts: 10 * time.Second, log: `"the start goes on without a part","part":"database"`},
		"none is ever ready":            {ready: never, alsoReady: never, starts: 10 * time.Second, log: `"the start goes on without a part","part":"nats"`},
		"one is prepared for long":      {prepared: time.Minute, starts: time.Minute, log: `"all parts have started"`},
		"… and then is not ready":       {prepared: time.Minute, ready: never, starts: 70 * time.Second, log: "goes on without"},
		"one can be used after long":    {usable: time.Minute, starts: time.Minute, log: `"to_be":"usable"`},
		"… and then is ready with time": {usable: time.Minute, ready: 69 * time.Second, starts: 69 * time.Second, log: `"to_be":"ready"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var started time.Duration
				began := time.Now()
				process := lifecycle.New(slog.New(slog.NewJSONHandler(&log, nil)), time.Second)
				process.Add(
					lifecycle.Part{
						Name: "database", Run: untilEnd, Usable: after(test.usable), Ready: after(test.ready),
						Prepare: func(context.Context) error {
							time.Sleep(test.prepared) //nolint:forbidigo // on the clock of the bubble
							return nil
						},
					},
					lifecycle.Part{Name: "nats", Run: untilEnd, Ready: after(test.alsoReady)},
					lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
						started = time.Since(began)
						return untilEnd(ctx)
					}},
				)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				require.NoError(t, process.Run(ctx))
				require.Equal(t, test.starts, started)
				require.Contains(t, log.String(), test.log)
			})
		})
	}
}

func TestAPartThatCannotBeUsedKeepsTheRestFromStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		broken := diary.part("database")
		broken.Usable = func() error { return errBroken }
		process := newLifecycle(time.Second, broken, diary.part("http"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, process.Run(ctx))
		require.Equal(t, []string{"database"}, diary.entries)
	})
}

func TestAProcessThatEndsWhileItStartsEndsWhatHasStarted(t *testing.T) {
	t.Parallel()
	for name, stuck := range map[string]lifecycle.Part{
		"while a part prepares": {Name: "nats", Prepare: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}},
		"while a part is not ready": {Name: "nats", Run: untilEnd, Ready: func() error { return errBroken }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var diary diary
				process := newLifecycle(time.Second, diary.part("database"), stuck, diary.part("http"))
				cancel, result := start(t, process)
				require.ErrorContains(t, process.Ready(), "http: not started yet")
				cancel()
				require.NoError(t, <-result)
				require.Equal(t, []string{"database"}, diary.entries)
				require.EqualError(t, process.Ready(), "shutting down")
			})
		})
	}
}

func TestAPartThatCannotBePreparedEndsTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		failing := lifecycle.Part{Name: "database", Prepare: func(context.Context) error { return errBroken }}
		_, result := start(t, newLifecycle(time.Second, diary.part("admin"), failing, diary.part("http")))
		err := <-result
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "database")
		require.Equal(t, []string{"admin"}, diary.entries)
	})
}
