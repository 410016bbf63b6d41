package fairshare

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// grace is how long a holder of places must have been waited for before others get them.
const grace = time.Second

// Holder is what holds places, such as a connection.
type Holder interface {
	// StalledSince is since when the process waits for the client of this holder; the zero time if it does not.
	StalledSince() time.Time
	// Yield tells the holder that its places are others' now. It is called once at most, and must not block.
	Yield()
}

// PlacesOptions say how many places there are.
type PlacesOptions[K comparable] struct {
	// Resource is the name in metrics and in causes of refusals.
	Resource string
	Capacity int
	// PerClient is how many places one client may have, however many are free; 0 for no such limit.
	PerClient int
	// Many says whether a client stands for many, as a proxy does, and is bound by Capacity only; nil if none does.
	Many func(K) bool
	Now  func() time.Time
}

// Places are like a Pool, but a holder that has been waited for longer than a second makes room for others: the one that has
// been waited for longest, of the client that holds most. This is the push-out of Thareja and Agrawala ("On the design of
// optimal policy for sharing finite buffers", IEEE Transactions on Communications 32(6), 1984), for what costs its client little
// to lose. It is safe for concurrent use, and remembers only clients that hold something.
type Places[K comparable] struct {
	options  PlacesOptions[K]
	metrics  metrics
	pushOuts prometheus.Counter

	mu      sync.Mutex
	used    int
	tenants map[K]*tenant
}

// tenant is what a client has.
type tenant struct {
	held    int
	many    bool
	holders map[Holder]int
}

// NewPlaces returns places that nobody holds.
func NewPlaces[K comparable](options PlacesOptions[K]) *Places[K] {
	places := &Places[K]{options: options, tenants: map[K]*tenant{}}
	places.metrics = newMetrics(options.Resource, map[string]func() int{"used": places.Used})
	places.pushOuts = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "fairshare_pushouts_total", ConstLabels: prometheus.Labels{"resource": options.Resource},
		Help: "Holders that were waited for and had to make room for others.",
	})
	places.metrics.collectors = append(places.metrics.collectors, places.pushOuts)
	return places
}

// Collectors are the metrics of the places, to be registered once.
func (p *Places[K]) Collectors() []prometheus.Collector { return p.metrics.collectors }

// Used is how many places are taken.
func (p *Places[K]) Used() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// Take takes so many places more for a holder of a client, all or none. Its error is a fault. A holder must not be waited for
// meanwhile.
func (p *Places[K]) Take(client K, holder Holder, units int) error {
	yielding, err := p.take(client, holder, units)
	for _, other := range yielding {
		other.Yield()
	}
	return err
}

func (p *Places[K]) take(client K, holder Holder, units int) (yielding []Holder, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.tenants[client]
	if own == nil {
		own = &tenant{holders: map[Holder]int{}, many: p.options.Many != nil && p.options.Many(client)}
	}
	for !p.admits(own, units, len(yielding) > 0) {
		of, stalled := p.longestStalled(own, units)
		if stalled == nil {
			return yielding, p.metrics.refuse(p.options.Resource, units, p.options.Capacity-p.used)
		}
		p.remove(of, stalled)
		p.pushOuts.Inc()
		yielding = append(yielding, stalled)
	}
	p.tenants[client] = own
	p.used += units
	own.held += units
	own.holders[holder] += units
	return yielding, nil
}

// admits reports whether a client may have so many places more. Once others have made room for it, it may have what is free.
func (p *Places[K]) admits(own *tenant, units int, pushedOut bool) bool {
	free := p.options.Capacity - p.used
	if own.many || pushedOut {
		return units <= free && !p.isCapped(own, units)
	}
	return admits(own.held, units, free) && !p.isCapped(own, units)
}

func (p *Places[K]) isCapped(own *tenant, units int) bool {
	return p.options.PerClient > 0 && !own.many && own.held+units > p.options.PerClient
}

// longestStalled returns who has to make room for a client: a holder of its own, or of one that will not have less than it.
func (p *Places[K]) longestStalled(own *tenant, units int) (of K, found Holder) {
	latest, earliest, most := p.options.Now().Add(-grace), time.Time{}, 0
	for client, tenant := range p.tenants {
		if tenant != own && (p.isCapped(own, units) || tenant.held < own.held+units) || tenant.held < most {
			continue
		}
		for holder := range tenant.holders {
			since := holder.StalledSince()
			if since.IsZero() || since.After(latest) || tenant.held == most && !since.Before(earliest) {
				continue
			}
			earliest, of, found, most = since, client, holder, tenant.held
		}
	}
	return of, found
}

// Keep gives back what the holder has beyond so many places. It does nothing for a holder that has made room.
func (p *Places[K]) Keep(client K, holder Holder, units int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.tenants[client]
	if own == nil || own.holders[holder] <= units {
		return
	}
	beyond := own.holders[holder] - units
	if units == 0 {
		p.remove(client, holder)
		return
	}
	own.holders[holder], own.held, p.used = units, own.held-beyond, p.used-beyond
}

func (p *Places[K]) remove(client K, holder Holder) {
	own := p.tenants[client]
	units := own.holders[holder]
	delete(own.holders, holder)
	own.held, p.used = own.held-units, p.used-units
	if len(own.holders) == 0 {
		delete(p.tenants, client)
	}
}

// Stall is the part of a Holder that knows since when its client is waited for. Its zero value waits for nobody.
type Stall struct{ since atomic.Int64 }

// Begin notes that the process begins to wait for the client.
func (s *Stall) Begin(now time.Time) { s.since.Store(now.UnixNano()) }

// End notes that the client has done something.
func (s *Stall) End() { s.since.Store(0) }

// StalledSince is since when the client is waited for.
func (s *Stall) StalledSince() time.Time {
	if since := s.since.Load(); since != 0 {
		return time.Unix(0, since)
	}
	return time.Time{}
}
