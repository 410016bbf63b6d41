package mysqlx

import (
	"context"
	"errors"
	"time"

	"oms.internal/libs/fault"
)

const (
	// slowReads is how many slow reads a process runs at the same time: few enough that most of its connections to each
	// server stay free for reads and writes that take no time.
	slowReads = 4
	// slowWaiting is how many wait for that, so that neither do they hold all requests that a service may be sent.
	slowWaiting  = 32
	slowPatience = time.Second
)

var errBusy = errors.New("too many slow reads at once")

// slowLane lets in few at a time.
type slowLane struct{ admitted, running chan struct{} }

func newSlowLane() slowLane {
	return slowLane{make(chan struct{}, slowReads+slowWaiting), make(chan struct{}, slowReads)}
}

func (l slowLane) run(ctx context.Context, work func() error) error {
	select {
	case l.admitted <- struct{}{}:
	default:
		return fault.NewUnavailable(errBusy)
	}
	defer func() { <-l.admitted }()
	patience := time.NewTimer(slowPatience)
	defer patience.Stop()
	select {
	case l.running <- struct{}{}:
	case <-patience.C:
		return fault.NewUnavailable(errBusy)
	case <-ctx.Done():
		return asFault(ctx, ctx.Err())
	}
	defer func() { <-l.running }()
	return work()
}

// ReadSlowly is Read for what no index serves, such as a search. Only a few run at the same time; what would wait for
// longer than a second is refused with the fault Unavailable.
func (c *Cluster) ReadSlowly(ctx context.Context, read func(context.Context, Reader) error) error {
	return c.slow.run(ctx, func() error { return c.Read(ctx, read) })
}
