package lifecycle

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/pace"
)

const (
	clockInterval = time.Second
	// leastStep is the smallest change of the clock that is told. NTP corrects less than that gradually, which is no step.
	leastStep = 500 * time.Millisecond
)

// Clock returns the part that tells when the machine's clock is set, or the machine slept. Lifetimes of tokens and keys go by that clock.
func (l *Lifecycle) Clock(metrics prometheus.Registerer) Part {
	began := time.Now()
	watched := &clock{log: l.log, ahead: func() time.Duration {
		now := time.Now()
		// The first difference is that of the clock, the second one that of a counter that nobody sets.
		return now.Round(0).Sub(began.Round(0)) - now.Sub(began)
	}}
	metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "clock_stepped_seconds",
		Help: "By how much the machine's clock was set since the process started: forward, or back if negative.",
	}, watched.total))
	return Part{Name: "clock", Run: watched.run}
}

type clock struct {
	log *slog.Logger
	// ahead is by how much the clock has gained on the time that has passed.
	ahead func() time.Duration
	last  time.Duration
	steps atomic.Int64 // their sum, in nanoseconds
}

func (c *clock) run(ctx context.Context) error {
	pace.Every(ctx, clockInterval, func() { c.look() })
	return nil
}

// look compares the clock with the last look.
func (c *clock) look() {
	ahead := c.ahead()
	step := ahead - c.last
	c.last = ahead
	if step.Abs() < leastStep {
		return
	}
	c.steps.Add(int64(step))
	c.log.Warn("the machine's clock was set, or the machine slept", "by", step.Round(time.Millisecond).String(), "now", time.Now().UTC())
}

func (c *clock) total() float64 {
	return math.Round(time.Duration(c.steps.Load()).Seconds()*1000) / 1000
}
