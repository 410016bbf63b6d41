package pages

import (
	"context"
	"sync"
	"time"
)

// Part is something that the start page shows the health of.
type Part struct {
	Name string
	// Ready returns nil if the part can serve. The context has a deadline.
	Ready func(context.Context) error
}

const (
	// askTimeout is how long a part may take to say that it is ready.
	askTimeout = time.Second
	// knownFor is how long what was heard counts. So many visitors ask no more than one.
	knownFor = time.Second
)

// state is what the page shows of a part.
type state struct {
	Name  string
	Ready bool
}

// health knows whether the parts are ready.
type health struct {
	parts []Part
	now   func() time.Time

	mu    sync.Mutex // held while the parts are asked, so that all who come meanwhile wait for the same answer
	until time.Time
	known []state
}

func newHealth(parts []Part, now func() time.Time) *health { return &health{parts: parts, now: now} }

// states asks all parts at once, unless it did a moment ago. Who asks may leave; what is heard is for everybody.
func (h *health) states(ctx context.Context) []state {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now().Before(h.until) {
		return h.known
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	known := make([]state, len(h.parts))
	var asked sync.WaitGroup
	for i, part := range h.parts {
		asked.Go(func() { known[i] = state{part.Name, part.Ready(ctx) == nil} })
	}
	asked.Wait()
	h.known, h.until = known, h.now().Add(knownFor)
	return known
}
