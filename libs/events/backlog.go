package events

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/pace"
)

const (
	// backlogInterval is how often the events that wait are counted. The relay itself does not look while NATS is away.
	backlogInterval = 2 * time.Second
	// stuckAge is the age of a waiting event from which the relay is not whole, whatever it is that holds the event.
	stuckAge = 30 * time.Second
)

// backlog knows how many events wait in the outbox, and since when. Every process that shares an outbox sees the same.
type backlog struct {
	now    func() time.Time
	mutex  sync.Mutex
	number int
	oldest time.Time // of the event that has waited longest, zero if none waits
}

// follow looks into the outbox until ctx ends. While the database cannot be asked, what is known stays, and grows older.
func (b *backlog) follow(ctx context.Context, db Database) {
	for ctx.Err() == nil {
		if times, err := column[time.Time](ctx, db,
			"SELECT created_at FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT ?", lookAhead); err == nil {
			b.set(times)
		}
		_ = pace.Wait(ctx, backlogInterval)
	}
}

func (b *backlog) set(times []time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.number, b.oldest = len(times), time.Time{}
	if len(times) > 0 {
		b.oldest = times[0]
	}
}

func (b *backlog) get() (number int, age time.Duration) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.number == 0 {
		return 0, 0
	}
	return b.number, max(0, b.now().Sub(b.oldest))
}

// stuck is nil unless an event has waited for too long.
func (b *backlog) stuck() error {
	if number, age := b.get(); age > stuckAge {
		return fmt.Errorf("%d events wait to be published, for up to %s", number, age.Round(time.Second))
	}
	return nil
}

func (b *backlog) metrics() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "outbox_waiting_events", Help: fmt.Sprintf("Events that wait to be published; %d stands for more, too.", lookAhead),
		}, func() float64 {
			number, _ := b.get()
			return float64(number)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "outbox_oldest_event_seconds", Help: "How long the oldest event has waited to be published; 0 if none waits.",
		}, func() float64 {
			_, age := b.get()
			return age.Seconds()
		}),
	}
}
