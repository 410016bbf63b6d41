package fairshare

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Pool is a number of units that clients take and give back. It is safe for concurrent use, and remembers only clients that
// hold something.
type Pool[K comparable] struct {
	resource string
	capacity int
	metrics  metrics

	mu   sync.Mutex
	used int
	held map[K]int
}

// NewPool returns a pool of a resource, which has this name in metrics and in causes of refusals. Its capacity is how many units all
// clients hold at most; what a unit is (a byte, a stream), those who take them decide.
func NewPool[K comparable](resource string, capacity int) *Pool[K] {
	pool := &Pool[K]{resource: resource, capacity: capacity, held: map[K]int{}}
	pool.metrics = newMetrics(resource, map[string]func() int{"used": pool.Used})
	return pool
}

// Collectors are the pool's metrics, to be registered once.
func (p *Pool[K]) Collectors() []prometheus.Collector { return p.metrics.collectors }

// Used is how many units are taken.
func (p *Pool[K]) Used() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// Take takes units for a client, all or none. Its error is a fault.
func (p *Pool[K]) Take(client K, units int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	held, free := p.held[client], p.capacity-p.used
	if !admits(held, units, free) {
		return p.metrics.refuse(p.resource, units, free)
	}
	p.used += units
	p.held[client] = held + units
	return nil
}

// Give gives units back that the client has taken.
func (p *Pool[K]) Give(client K, units int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used -= units
	if p.held[client] -= units; p.held[client] == 0 {
		delete(p.held, client)
	}
}
