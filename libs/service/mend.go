package service

import (
	"context"
	"log/slog"
	"time"

	"oms.internal/libs/lifecycle"
	"oms.internal/libs/pace"
)

const (
	// firstWait is the time between the first two rounds. Each further wait is twice as long, up to longestWait: processes of the
	// release before end soon after those of this one start.
	firstWait   = time.Minute
	longestWait = time.Hour
	// A round rests restFactor times as long as it worked, but at least shortestRest. So it works for a quarter of the time at most,
	// and less often while the database is slow.
	restFactor   = 3
	shortestRest = 100 * time.Millisecond
)

// Round mends the rows that processes of the release before have written by their rules, and returns how many it mended. It works in
// small transactions and calls rest after each. It ends with the error of rest. Any number of rounds may run at once, and each may
// end anywhere; the next one mends the rest.
type Round func(ctx context.Context, rest func() error) (mended int, err error)

// Mend returns a part that makes rounds for as long as the process runs. The start does not wait for them, so the service must give
// right answers while rows are still to be mended.
func (b *Base) Mend(round Round) lifecycle.Part {
	return lifecycle.Part{Name: "mend", Run: mender{round, b.Log, time.Now, pace.Wait}.run}
}

type mender struct {
	round Round
	log   *slog.Logger
	now   func() time.Time
	pause func(context.Context, time.Duration) error
}

func (m mender) run(ctx context.Context) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		mended, err := m.round(ctx, m.rest(ctx))
		if mended > 0 {
			m.log.InfoContext(ctx, "mended rows that the release before wrote", "rows", mended)
		}
		if err != nil && ctx.Err() == nil {
			m.log.WarnContext(ctx, "rows that the release before wrote are not mended; trying again", "error", err)
			wait = firstWait
		}
		if err := m.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// rest returns the function that a round calls after each of its transactions.
func (m mender) rest(ctx context.Context) func() error {
	began := m.now()
	return func() error {
		err := m.pause(ctx, max(shortestRest, restFactor*m.now().Sub(began)))
		began = m.now()
		return err
	}
}
