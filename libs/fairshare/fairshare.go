// Package fairshare shares what is scarce among clients, so that none of them can take it from the others: connections, bytes that
// wait to be sent, places at the password hash, slow searches.
//
// A Pool is for what is taken and given back: it admits or refuses at once. Places are a pool whose idle holders make room for
// others, such as connections. A Line is for work of which little runs at the same time: the rest waits, and clients take
// turns. Each has a bound in all.
//
// None has a fixed share for each client: a client may hold as much as is free at that moment. So one client alone gets half, and two
// get a third each. There is always room for one who comes next, and nobody has to know how many clients there are. These are the
// dynamic thresholds of Choudhury and Hahne ("Dynamic queue length thresholds for shared-memory packet switches", IEEE/ACM
// Transactions on Networking 6(2), 1998) with α = 1. The turns are the fair queueing of Nagle ("On packet switches with
// infinite storage", RFC 970, 1985).
//
// What a client is, the caller decides: a network, a member. Refusals are faults with a time after which to try again:
// TooManyRequests for a client that holds its share, Unavailable where nothing is left for anybody. Each is counted in a metric.
package fairshare

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/fault"
)

// retryAfter is when a refused client may try again.
const retryAfter = time.Second

// ErrRefused is in the cause of every refusal, whose text is the same for all of a resource.
var ErrRefused = errors.New("refused")

// Why something was refused, in the metric.
const (
	reasonShare = "share" // the client holds its share
	reasonFull  = "full"  // nothing is left
	reasonTime  = "time"  // the turn of a work did not come in time
)

// admits is the rule of dynamic thresholds: what a client holds may not exceed what is free.
func admits(held, wanted, free int) bool { return held+wanted <= free }

// metrics tell how much of one resource is used and refused.
type metrics struct {
	refusals   *prometheus.CounterVec
	collectors []prometheus.Collector
}

// newMetrics describes a resource; numbers are read when metrics are. Refusals for a share and for fullness are counted of each resource,
// those for other reasons where they are named.
func newMetrics(resource string, numbers map[string]func() int, reasons ...string) metrics {
	labels := prometheus.Labels{"resource": resource}
	made := metrics{refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fairshare_refusals_total", ConstLabels: labels,
		Help: "Refusals by reason: the client holds its share, nothing is left, or no turn came in time.",
	}, []string{"reason"})}
	for _, reason := range append(reasons, reasonShare, reasonFull) {
		made.refusals.WithLabelValues(reason)
	}
	made.collectors = append(made.collectors, made.refusals)
	for name, number := range numbers {
		made.collectors = append(made.collectors, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "fairshare_" + name, ConstLabels: labels, Help: "What is " + name + " of a shared resource now.",
		}, func() float64 { return float64(number()) }))
	}
	return made
}

// refuse counts a refusal and returns its fault.
func (m metrics) refuse(resource string, wanted, free int) error {
	if wanted > free {
		m.refusals.WithLabelValues(reasonFull).Inc()
		return fault.NewUnavailable(fmt.Errorf("%w: all of %s is taken", ErrRefused, resource))
	}
	m.refusals.WithLabelValues(reasonShare).Inc()
	failure := fault.New(fault.TooManyRequests, "Too many requests from you are in work. Wait for their answers, then try again.",
		fmt.Errorf("%w: the client holds its share of %s", ErrRefused, resource))
	failure.RetryAfter = retryAfter
	return failure
}

// late counts that the turn of a work did not come in time, and returns the fault. The cause is why the work waits no longer.
func (m metrics) late(resource string, cause error) error {
	m.refusals.WithLabelValues(reasonTime).Inc()
	return fault.NewUnavailable(fmt.Errorf("%w: no turn at %s in time: %w", ErrRefused, resource, cause))
}
