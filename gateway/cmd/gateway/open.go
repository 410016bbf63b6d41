package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// openWithin is how long connections wait, unaccepted, for a gateway that begins; then it answers 503 itself.
	openWithin   = 10 * time.Second
	openInterval = 5 * time.Millisecond
)

// opening keeps the public port closed to requests that could only be refused, since the process has just begun and knows
// no keys or revocations yet. The port is taken already; who connects waits for that moment and notices nothing.
type opening struct {
	log *slog.Logger
	// ready says what the process lacks to answer.
	ready func() error
	open  atomic.Bool
}

// wait returns true once connections are to be accepted, and false if ctx ends before.
func (o *opening) wait(ctx context.Context) bool {
	began := time.Now()
	latest, ticker := time.NewTimer(openWithin), time.NewTicker(openInterval)
	defer latest.Stop()
	defer ticker.Stop()
	lacking := o.ready()
	if lacking != nil {
		o.log.InfoContext(ctx, "connections wait until the process can answer", "lacking", lacking, "at_most", openWithin)
	}
	for late := false; lacking != nil && !late; lacking = o.ready() {
		select {
		case <-ctx.Done():
			return false
		case <-latest.C:
			late = true
		case <-ticker.C:
		}
	}
	if lacking != nil {
		o.log.WarnContext(ctx, "connections are accepted although the process is not ready", "lacking", lacking)
	} else {
		o.log.InfoContext(ctx, "connections are accepted", "after", time.Since(began))
	}
	o.open.Store(true)
	return true
}

// Ready returns an error while connections wait.
func (o *opening) Ready() error {
	if o.open.Load() {
		return nil
	}
	return errors.New("connections are not accepted yet")
}
