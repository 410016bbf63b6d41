package fairshare

import (
	"context"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// LineOptions say how much runs and waits.
type LineOptions struct {
	// Resource is the name in metrics and in causes of refusals.
	Resource string
	// Running is how many works run at the same time, of all clients together. Waiting is how many places there are for those that
	// wait for their turn; Enter says how many places a work takes.
	Running, Waiting int
	// Long is for works that take longer than a client would wait for its turn. A client then runs no more of them than
	// could be started for others, also while nobody else asks.
	Long bool
}

// Line runs works of clients: in turn among clients, in the order of arrival for each. Where no place is free for a client, the
// last work of the client with the most places is refused instead, as in the fair queueing of Demers, Keshav and Shenker
// ("Analysis and simulation of a fair queueing algorithm", SIGCOMM 1989). It is safe for concurrent use, and remembers only
// clients whose works run or wait.
type Line[K comparable] struct {
	options LineOptions
	metrics metrics

	mu      sync.Mutex
	running int
	places  int // that are taken by those who wait
	clients map[K]*turn
	// round holds the clients who wait, the next one first.
	round []*turn
}

// turn is what a client has in the line.
type turn struct {
	running int
	places  int
	waiting []*waiter
}

type waiter struct {
	places  int
	started chan struct{} // closed when the work may run, or is refused
	refusal error         // set before that
}

// NewLine returns a line without works.
func NewLine[K comparable](options LineOptions) *Line[K] {
	line := &Line[K]{options: options, clients: map[K]*turn{}}
	line.metrics = newMetrics(options.Resource, map[string]func() int{
		"used":    func() int { return line.count(&line.running) },
		"waiting": func() int { return line.count(&line.places) },
	}, reasonTime)
	return line
}

func (l *Line[K]) count(number *int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *number
}

// Collectors are the line's metrics, to be registered once.
func (l *Line[K]) Collectors() []prometheus.Collector { return l.metrics.collectors }

// Ready returns the fault with which Enter would refuse a work of one place now.
func (l *Line[K]) Ready(client K) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.turnOf(client)
	if _, ok := l.room(held, 1); !ok {
		return l.refuse(1)
	}
	return nil
}

// turnOf returns what the client has in the line, or a new turn, which is not kept yet.
func (l *Line[K]) turnOf(client K) *turn {
	if held := l.clients[client]; held != nil {
		return held
	}
	return &turn{}
}

// Enter waits until a work of the client may run. The work takes so many places while it waits, one at least; one that takes much
// longer than others should take more. The caller calls leave when the work is done. An error is a fault, and ErrRefused is in its
// cause: TooManyRequests where the client has its share of the places, also when the work waited already and one with less needed
// its places; Unavailable where all places are taken by others, and where ctx ended before the work's turn came.
func (l *Line[K]) Enter(ctx context.Context, client K, places int) (leave func(), err error) {
	work, err := l.join(client, places)
	if err != nil {
		return nil, err
	}
	select {
	case <-work.started:
	case <-ctx.Done():
		if l.withdraw(client, work) {
			return nil, l.metrics.late(l.options.Resource, ctx.Err())
		}
	}
	if work.refusal != nil {
		l.forget(client)
		return nil, work.refusal
	}
	return func() { l.leave(client) }, nil
}

func (l *Line[K]) join(client K, places int) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.turnOf(client)
	room, ok := l.room(held, places)
	if !ok {
		return nil, l.refuse(places)
	}
	for _, other := range room {
		l.refuseLast(other)
	}
	l.clients[client] = held
	work := &waiter{places: places, started: make(chan struct{})}
	if len(held.waiting) == 0 {
		l.round = append(l.round, held)
	}
	held.waiting = append(held.waiting, work)
	held.places += places
	l.places += places
	l.start()
	return work, nil
}

// admits reports whether a work can run now or wait.
func (l *Line[K]) admits(held *turn, places int) bool {
	return len(held.waiting) == 0 && l.mayRun(held) || admits(held.places, places, l.options.Waiting-l.places)
}

func (l *Line[K]) refuse(places int) error {
	return l.metrics.refuse(l.options.Resource, places, l.options.Waiting-l.places)
}

// room returns the clients whose last works must be refused, one for each time that a client is named, so that another one has so
// many places more. These clients have more than it gets, so it needs nothing but what is free then. It is false where all that may
// be taken would not do, so that no work is refused in vain.
func (l *Line[K]) room(held *turn, places int) (room []*turn, ok bool) {
	if l.admits(held, places) {
		return nil, true
	}
	free, left, refused := l.options.Waiting-l.places, map[*turn]int{}, map[*turn]int{}
	for _, other := range l.round {
		left[other] = other.places
	}
	for places > free || len(room) == 0 {
		longest := l.longest(left, held.places+places)
		if longest == nil {
			return nil, false
		}
		room = append(room, longest)
		refused[longest]++
		last := longest.waiting[len(longest.waiting)-refused[longest]].places
		left[longest], free = left[longest]-last, free+last
	}
	return room, true
}

// longest returns the one that has most places left, if these are more than most.
func (l *Line[K]) longest(left map[*turn]int, most int) (found *turn) {
	for _, other := range l.round {
		if left[other] > most {
			found, most = other, left[other]
		}
	}
	return found
}

// refuseLast refuses the work of a client that has come last.
func (l *Line[K]) refuseLast(held *turn) {
	last := held.waiting[len(held.waiting)-1]
	last.refusal = l.metrics.refuse(l.options.Resource, 0, 0)
	l.remove(held, len(held.waiting)-1)
	if len(held.waiting) == 0 {
		l.round = slices.DeleteFunc(l.round, func(other *turn) bool { return other == held })
	}
	close(last.started)
}

func (l *Line[K]) mayRun(held *turn) bool {
	free := l.options.Running - l.running
	return free > 0 && (!l.options.Long || admits(held.running, 1, free))
}

// start lets works run as long as there are some that may. Afterwards nobody who waits may run.
func (l *Line[K]) start() {
	for {
		next := slices.IndexFunc(l.round, l.mayRun)
		if next < 0 {
			return
		}
		held := l.round[next]
		work := held.waiting[0]
		l.round = slices.Delete(l.round, next, next+1)
		l.remove(held, 0)
		if len(held.waiting) > 0 {
			l.round = append(l.round, held)
		}
		held.running++
		l.running++
		close(work.started)
	}
}

// remove takes a work out of those that wait.
func (l *Line[K]) remove(held *turn, at int) {
	held.places -= held.waiting[at].places
	l.places -= held.waiting[at].places
	held.waiting = slices.Delete(held.waiting, at, at+1)
}

// withdraw takes a work out of the line. It is false for a work that has been started.
func (l *Line[K]) withdraw(client K, work *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.turnOf(client)
	at := slices.Index(held.waiting, work)
	if at < 0 {
		return false
	}
	l.remove(held, at)
	if len(held.waiting) == 0 {
		l.round = slices.DeleteFunc(l.round, func(other *turn) bool { return other == held })
	}
	l.forgetIdle(client, held)
	return true
}

func (l *Line[K]) leave(client K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.clients[client]
	held.running--
	l.running--
	l.start()
	l.forgetIdle(client, held)
}

func (l *Line[K]) forget(client K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetIdle(client, l.turnOf(client))
}

// forgetIdle forgets a client of whom nothing runs or waits.
func (l *Line[K]) forgetIdle(client K, held *turn) {
	if held.running == 0 && len(held.waiting) == 0 {
		delete(l.clients, client)
	}
}
