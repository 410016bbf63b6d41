// Package pace waits, once or between the turns of work that is done again and again, and never longer than a context.
package pace

import (
	"context"
	"time"
)

// Wait returns after a duration, or with the error of ctx when that ends.
func Wait(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Every does work each time that an interval has passed, until ctx ends. Turns that would begin while work goes on are left
// out.
func Every(ctx context.Context, interval time.Duration, work func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			work()
		}
	}
}
