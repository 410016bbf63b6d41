package httpx

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// refusalsTime is how long refusals of one kind are counted before they are logged again.
	refusalsTime = 5 * time.Second
	// maxRefusals is how many kinds are told apart; there are as many as routes and reasons.
	maxRefusals = 256
)

// refusal is what one line of the log is about.
type refusal struct {
	method, route string
	status        int
	reason        string
}

// refusals logs what is refused: the first of a series at once, and then how many there were, every 5 s. A line for each would
// fill the disk when thousands are refused, which is when refusals are of use.
type refusals struct {
	log *slog.Logger

	mutex  sync.Mutex
	counts map[refusal]int // since the last line
}

func newRefusals(log *slog.Logger) *refusals { return &refusals{log: log, counts: map[refusal]int{}} }

// note counts a refusal.
func (r *refusals) note(ctx context.Context, one refusal) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, known := r.counts[one]
	if !known && len(r.counts) >= maxRefusals {
		one = refusal{reason: "others"}
		_, known = r.counts[one]
	}
	if known {
		r.counts[one]++
		return
	}
	r.counts[one] = 0
	r.write(ctx, one, 1)
	time.AfterFunc(refusalsTime, func() { r.count(one) })
}

// count logs how many refusals there were, and goes on counting as long as there are some.
func (r *refusals) count(one refusal) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count := r.counts[one]
	if count == 0 {
		delete(r.counts, one)
		return
	}
	r.counts[one] = 0
	r.write(context.Background(), one, count)
	time.AfterFunc(refusalsTime, func() { r.count(one) })
}

func (r *refusals) write(ctx context.Context, one refusal, count int) {
	r.log.LogAttrs(ctx, slog.LevelWarn, "requests refused", slog.String("method", one.method), slog.String("route", one.route),
		slog.Int("status", one.status), slog.String("reason", one.reason), slog.Int("count", count))
}
