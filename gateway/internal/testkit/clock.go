package testkit

import (
	"sync/atomic"
	"time"
)

// Clock is a time that only the test moves. Many goroutines may read and move it.
type Clock struct {
	start time.Time
	moved atomic.Int64 // nanoseconds
}

// NewClock returns a clock that stands at a time.
func NewClock(at time.Time) *Clock { return &Clock{start: at} }

// Noon returns a clock that stands at noon of 23 November 2026, in UTC.
func Noon() *Clock { return NewClock(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)) }

// Now is what the clock shows.
func (c *Clock) Now() time.Time { return c.In(0) }

// In is what the clock shows after a while. It does not move the clock.
func (c *Clock) In(while time.Duration) time.Time {
	return c.start.Add(time.Duration(c.moved.Load()) + while)
}

// Advance moves the clock on.
func (c *Clock) Advance(by time.Duration) { c.moved.Add(int64(by)) }
