package events

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"oms.internal/libs/pace"
)

// patientTries is how many tries in a row may fail before it is said: while a process starts, and while one primary
// follows another, the next try mends most.
const patientTries = 4

// state tells of a failure that lasts, once, and of its end.
type state struct {
	log      *slog.Logger
	work     string
	mutex    sync.Mutex
	failures int
	err      error
}

// note takes the outcome of a try.
func (s *state) note(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.err = err; err != nil {
		if s.failures++; s.failures == patientTries {
			s.log.Warn(s.work+" stands still", "error", err)
		}
		return
	}
	if s.failures >= patientTries {
		s.log.Info(s.work+" goes on", "failures", s.failures)
	}
	s.failures = 0
}

// get is why tries fail, nil where they do not, or have not for long.
func (s *state) get() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.failures < patientTries {
		return nil
	}
	return s.err
}

// endPatience is how long a relay or a consumer goes on with what it has begun once it is to end. Where the database hangs, the
// rest is for another instance: a process that ends has 10 seconds for all its parts.
const endPatience = time.Second

var errNotConnected = errors.New("nats is not connected")

// outlive returns a context that ends some time after ctx, for work that has begun by then.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = pace.Wait(longer, by)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}

const cleanInterval = time.Minute

// cleanRegularly deletes what is older than keep, now and every minute until ctx ends.
func cleanRegularly(ctx context.Context, log *slog.Logger, now func() time.Time, keep time.Duration,
	clean func(ctx context.Context, before time.Time) error,
) {
	cleaning := state{log: log, work: "cleaning of old events"}
	for ctx.Err() == nil {
		err := clean(ctx, now().Add(-keep))
		if ctx.Err() != nil {
			return
		}
		cleaning.note(err)
		_ = pace.Wait(ctx, cleanInterval)
	}
}
