package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"oms.internal/libs/lifecycle"
)

var errBroken = errors.New("broken")

// diary notes what happened in which order.
type diary struct {
	mutex   sync.Mutex
	entries []string
}

func (d *diary) note(entry string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.entries = append(d.entries, entry)
}

func (d *diary) part(name string) lifecycle.Part {
	return lifecycle.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name)
		return nil
	}}
}

func newLifecycle(timeout time.Duration, parts ...lifecycle.Part) *lifecycle.Lifecycle {
	process := lifecycle.New(slog.New(slog.DiscardHandler), timeout)
	for _, part := range parts {
		process.Add(part)
	}
	return process
}

// start runs the process and returns how to end it, and its result. The parts have started when it returns.
func start(t *testing.T, process *lifecycle.Lifecycle) (context.CancelFunc, <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- process.Run(ctx) }()
	synctest.Wait()
	return cancel, result
}

func TestPartsEndInReverseOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		cancel, result := start(t, newLifecycle(time.Second, diary.part("database"), diary.part("nats"), diary.part("http")))
		cancel()
		require.NoError(t, <-result)
		require.Equal(t, []string{"http", "nats", "database"}, diary.entries)
	})
}

func TestNoPartIsToldToEndBeforeTheOneAfterItHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		drained := make(chan struct{})
		draining := lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
			<-ctx.Done()
			<-drained
			return nil
		}}
		cancel, result := start(t, newLifecycle(time.Second, diary.part("database"), draining))
		cancel()
		synctest.Wait()
		require.Empty(t, diary.entries)
		close(drained)
		require.NoError(t, <-result)
		require.Equal(t, []string{"database"}, diary.entries)
	})
}

func TestAPartThatFailsEndsAllAndItsErrorComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		failing := lifecycle.Part{Name: "nats", Run: func(context.Context) error { return errBroken }}
		_, result := start(t, newLifecycle(time.Second, diary.part("database"), failing, diary.part("http")))
		err := <-result
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "nats")
		require.Equal(t, []string{"http", "database"}, diary.entries)
	})
}

func TestWhatEndedTheProcessIsReportedOnceAndWhatFailedAfterItToo(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) error { return errBroken }
	brokenAtTheEnd := func(ctx context.Context) error {
		<-ctx.Done()
		return errBroken
	}
	for name, c := range map[string]struct {
		parts []lifecycle.Part
		want  string
	}{
		"Prepare": {[]lifecycle.Part{{Name: "nats", Prepare: broken, Run: brokenAtTheEnd}}, "nats ended: broken"},
		"Run":     {[]lifecycle.Part{{Name: "nats", Run: broken}}, "nats ended: broken"},
		"two parts": {
			[]lifecycle.Part{{Name: "database", Run: brokenAtTheEnd}, {Name: "nats", Run: broken}}, "nats ended: broken\nstop database: broken",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, result := start(t, newLifecycle(time.Second, c.parts...))
			require.EqualError(t, <-result, c.want, name)
		})
	}
}

func TestAPartThatEndsByItselfWithoutAnErrorIsAFailureToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := lifecycle.Part{Name: "worker", Run: func(context.Context) error { return nil }}
		_, result := start(t, newLifecycle(time.Second, ended))
		require.ErrorContains(t, <-result, "worker ended")
	})
}

func TestAnErrorWhileEndingComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var diary diary
		failing := lifecycle.Part{Name: "http", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return errBroken
		}}
		cancel, result := start(t, newLifecycle(time.Second, diary.part("database"), failing))
		cancel()
		err := <-result
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "stop http")
		require.Equal(t, []string{"database"}, diary.entries)
	})
}

func TestShutdownTakesNoLongerThanItsTimeForAllPartsTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := func(takes time.Duration) func(context.Context) error {
			return func(ctx context.Context) error {
				<-ctx.Done()
				select {
				case <-time.After(takes):
				case <-release:
				}
				return nil
			}
		}
		cancel, result := start(t, newLifecycle(10*time.Second,
			lifecycle.Part{Name: "database", Run: slow(time.Hour)}, lifecycle.Part{Name: "http", Run: slow(6 * time.Second)}))
		began := time.Now()
		cancel()
		require.ErrorContains(t, <-result, "stop database: not done within 10s")
		require.Equal(t, 10*time.Second, time.Since(began))
		close(release)
	})
}
