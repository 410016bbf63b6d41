package account

import (
	"crypto/sha256"
	"time"
)

const (
	firstDelay   = time.Second
	maxDoublings = 10 // 2^10 s exceeds every longest delay; counting on would only make forgiving take longer
)

// limit is how many failures are free, the quiet time that takes one away, and the longest delay.
type limit struct {
	free    int
	forgive time.Duration
	longest time.Duration
}

// most is what a counter does not exceed.
func (l limit) most() int { return l.free + maxDoublings }

// Digest is a SHA-256 digest.
type Digest [sha256.Size]byte

// Counter is a number of failures as of a time.
type Counter struct {
	Failures int
	At       time.Time
}

// Counted is a counter and what it counts the failures of.
type Counted struct {
	Subject Digest
	Counter
}

// failed is the counter after one more failure.
func (c Counter) failed(l limit, now time.Time) Counter {
	forgiven := int(max(0, now.Sub(c.At)) / l.forgive)
	if now.Before(c.At) {
		now = c.At // the clock of another process is ahead
	}
	return Counter{Failures: min(l.most(), max(0, c.Failures-forgiven)+1), At: now}
}

// wait is how long there is still to wait after the last failure.
func (c Counter) wait(l limit, now time.Time) time.Duration {
	quiet := max(0, now.Sub(c.At))
	for forgiven := 0; ; forgiven++ {
		excess := c.Failures - forgiven - l.free
		least := time.Duration(forgiven) * l.forgive // the quiet time that forgives so many
		if excess < 0 {
			return max(0, least-quiet)
		}
		delay := min(l.longest, firstDelay<<min(excess, maxDoublings))
		if delay < least+l.forgive {
			return max(0, max(delay, least)-quiet)
		}
	}
}
