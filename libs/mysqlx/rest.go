package mysqlx

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// restAfter is for how long nobody must have read or written before a cluster rests.
	restAfter = 5 * time.Second
	// restInterval is how often the servers of a cluster at rest are looked at. What only polls (Poll) may be misled for so long by a
	// server that was replaced.
	restInterval = 500 * time.Millisecond
)

// rest is whether a cluster is in use. At rest its servers are looked at less often, because looks are most of what an idle system
// costs. Whoever uses a cluster at rest waits until each server has been looked at, so that it decides by no older look than at
// other times.
type rest struct {
	used atomic.Int64 // when the cluster was used last, in Unix nanoseconds

	mutex sync.Mutex
	// wake is closed to have the servers looked at now.
	wake chan struct{}
	// waking is there while someone waits for these looks.
	waking *waking
}

// waking is the end of a rest.
type waking struct {
	began  time.Time
	unseen map[*host]bool
	done   chan struct{} // closed when no server is unseen
}

func newRest() *rest {
	rest := &rest{wake: make(chan struct{})}
	rest.used.Store(time.Now().UnixNano())
	return rest
}

func (r *rest) resting() bool { return time.Now().UnixNano()-r.used.Load() >= int64(restAfter) }

// use notes that the cluster is used, and ends its rest.
func (c *Cluster) use(ctx context.Context) {
	if !c.rest.resting() {
		c.rest.used.Store(time.Now().UnixNano())
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.lookTimeout())
	defer cancel()
	select {
	case <-c.rest.end(c.hosts):
	case <-ctx.Done():
	}
}

// end has the hosts looked at, and returns what is closed when that is done.
func (r *rest) end(hosts []*host) <-chan struct{} {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.waking == nil {
		r.waking = &waking{began: time.Now(), unseen: map[*host]bool{}, done: make(chan struct{})}
		for _, host := range hosts {
			r.waking.unseen[host] = true
		}
		close(r.wake)
		r.wake = make(chan struct{})
	}
	return r.waking.done
}

// looked notes a look at a host that began at this time.
func (r *rest) looked(host *host, began time.Time) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.waking == nil || began.Before(r.waking.began) {
		return
	}
	delete(r.waking.unseen, host)
	if len(r.waking.unseen) == 0 {
		r.used.Store(time.Now().UnixNano())
		close(r.waking.done)
		r.waking = nil
	}
}

// interval is for how long nobody has to look at the servers.
func (r *rest) interval() time.Duration {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.resting() && r.waking == nil {
		return restInterval
	}
	return lookInterval
}

// every does work at once, and then after each lookInterval, or restInterval while the cluster rests, until ctx ends.
func (r *rest) every(ctx context.Context, work func()) {
	for {
		r.mutex.Lock()
		wake := r.wake
		r.mutex.Unlock()
		work()
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(r.interval()):
		}
	}
}
