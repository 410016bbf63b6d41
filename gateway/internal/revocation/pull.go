package revocation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"oms.internal/libs/contracts/accounts"
)

// patientTimeout is how long a reply is waited for after a failure: a source that is slow is better than none.
const patientTimeout = 2 * time.Second

// pullOnce asks for everything that is not known yet and notes how it went.
func (f *Follower) pullOnce(ctx context.Context) {
	began := f.now()
	err := f.pull(ctx)
	if ctx.Err() != nil {
		return
	}
	failed := err != nil
	switch {
	case failed && !f.failing.Load():
		f.log.Warn("revocations not received; trying on", "error", err)
	case !failed && (f.failing.Load() || f.pulled.Load() == nil):
		f.log.Info("revocations received", "latest", f.sequence.last(), "remembered", f.Len())
	}
	f.failing.Store(failed)
	if !failed {
		f.pulled.Store(&began)
	}
}

// pull asks page by page. What a page brought stays known when the next one fails.
func (f *Follower) pull(ctx context.Context) error {
	for {
		after := f.sequence.last()
		page, err := f.ask(ctx, after)
		if err != nil {
			return err
		}
		if page.Latest < after {
			// The numbers of accounts went back, as after the restoration of a backup. All are asked for again, or those
			// that are given a second time would never be.
			f.log.Warn("revocations begin anew", "known", after, "latest", page.Latest)
			f.sequence.restart()
			continue
		}
		f.Add(page.Revocations)
		f.sequence.complete(page.Latest)
		if len(page.Revocations) < accounts.MaxRevocations {
			return nil
		}
		if page.Latest == after {
			return fmt.Errorf("full page after revocation %d does not go beyond it", after)
		}
	}
}

// avoidance is how long a source that failed is asked after the others: a broker that hangs would else cost each pull its
// time-out.
const avoidance = 5 * time.Second

// inTurn returns the sources in the order in which to ask them now.
func (f *Follower) inTurn() []Source {
	now := f.now()
	avoided := func(source Source) int {
		if failed, found := f.failedAt[source.Name]; found && now.Sub(failed) < avoidance {
			return 1
		}
		return 0
	}
	turn := slices.Clone(f.sources)
	slices.SortStableFunc(turn, func(a, b Source) int { return avoided(a) - avoided(b) })
	return turn
}

// ask tries one source after the other.
func (f *Follower) ask(ctx context.Context, after uint64) (accounts.Revocations, error) {
	var failures []error
	for _, source := range f.inTurn() {
		reply, err := f.askOne(ctx, source, after)
		if err == nil {
			f.pulls.WithLabelValues(source.Name, "ok").Inc()
			if before := f.via.Swap(&source.Name); before == nil || *before != source.Name {
				f.log.Log(ctx, slog.LevelInfo, "asking for revocations", "over", source.Name)
			}
			return reply, nil
		}
		f.pulls.WithLabelValues(source.Name, "failed").Inc()
		f.failedAt[source.Name] = f.now()
		failures = append(failures, fmt.Errorf("%s: %w", source.Name, err))
	}
	return accounts.Revocations{}, errors.Join(failures...)
}

func (f *Follower) askOne(ctx context.Context, source Source, after uint64) (accounts.Revocations, error) {
	timeout := source.Timeout
	if f.failing.Load() {
		timeout = patientTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return source.Ask(ctx, after)
}
