package httpx

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// refusalsTime is how long refusals of one kind are counted before they are logged again.
	refusalsTime = 5 * time.Second
	// maxRefusals is how many kinds are told apart: more than methods, routes, statuses and reasons give together.
	maxRefusals = 256
)

// refusal is a kind of refusals, with a line of the log for each series. It holds nothing that a client chooses freely: the method is one
// that Fiber knows or OTHER, the route is a pattern.
type refusal struct {
	method, route string
	status        int
	reason        string
}

// refusals logs what is refused: the first of a series at once, and then how many there were, every 5 s. A line for each would
// fill the disk when thousands are refused, which is when refusals are of use. No request waits while a line is written.
type refusals struct {
	log *slog.Logger

	mutex  sync.Mutex
	counts map[refusal]int // since the last line
}

func newRefusals(log *slog.Logger) *refusals { return &refusals{log: log, counts: map[refusal]int{}} }

// note counts a refusal.
func (r *refusals) note(ctx context.Context, one refusal) {
	if one, first := r.add(one); first {
		r.write(ctx, one, 1)
		time.AfterFunc(refusalsTime, func() { r.count(one) })
	}
}

// add counts a refusal, if its kind is one of too many as one of the others. It reports whether the refusal begins a series.
func (r *refusals) add(one refusal) (counted refusal, first bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, known := r.counts[one]
	if !known && len(r.counts) >= maxRefusals {
		one = refusal{reason: "others"}
		_, known = r.counts[one]
	}
	if known {
		r.counts[one]++
	} else {
		r.counts[one] = 0
	}
	return one, !known
}

// count logs how many refusals there were, and goes on counting as long as there are some.
func (r *refusals) count(one refusal) {
	if count := r.take(one); count > 0 {
		r.write(context.Background(), one, count)
		time.AfterFunc(refusalsTime, func() { r.count(one) })
	}
}

// take returns how many refusals there were since the last line. The series ends if there were none.
func (r *refusals) take(one refusal) (count int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count = r.counts[one]
	if count == 0 {
		delete(r.counts, one)
	} else {
		r.counts[one] = 0
	}
	return count
}

// end logs what was counted and not logged yet, because the server has ended. It never fails.
func (r *refusals) end() error {
	r.mutex.Lock()
	kinds := slices.Collect(maps.Keys(r.counts))
	r.mutex.Unlock()
	for _, one := range kinds {
		if count := r.take(one); count > 0 {
			r.write(context.Background(), one, count)
		}
	}
	return nil
}

func (r *refusals) write(ctx context.Context, one refusal, count int) {
	r.log.LogAttrs(ctx, slog.LevelWarn, "requests refused", slog.String("method", one.method), slog.String("route", one.route),
		slog.Int("status", one.status), slog.String("reason", one.reason), slog.Int("count", count))
}
