package revocation

import (
	"context"
	"fmt"
	"time"

	"oms.internal/libs/contracts/accounts"
)

const (
	// usualTimeout is how long a reply is waited for. With pullInterval it leaves time to ask another instance of accounts
	// within a second.
	usualTimeout = 500 * time.Millisecond
	// patientTimeout is how long a reply is waited for after a failure: a slow answer is better than none.
	patientTimeout = 2 * time.Second
)

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
		f.options.Log.Warn("revocations not received; trying on", "error", err)
	case !failed && (f.failing.Load() || f.pulled.Load() == nil):
		f.options.Log.Info("revocations received", "latest", f.sequence.last(), "remembered", f.Len())
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
			f.options.Log.Warn("revocations begin anew", "known", after, "latest", page.Latest)
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

func (f *Follower) ask(ctx context.Context, after uint64) (accounts.Revocations, error) {
	timeout := usualTimeout
	if f.failing.Load() {
		timeout = patientTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := f.options.Ask(ctx, after)
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	f.pulls.WithLabelValues(outcome).Inc()
	return reply, err
}
