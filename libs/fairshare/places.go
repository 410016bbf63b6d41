package fairshare

import (
	"slices"
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
	// Capacity is how many places there are in all, in the units that Take counts.
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
	room, ok := p.room(own, units)
	if !ok {
		return nil, p.metrics.refuse(p.options.Resource, units, p.options.Capacity-p.used)
	}
	for _, place := range room {
		p.remove(place.client, place.holder)
		p.pushOuts.Inc()
		yielding = append(yielding, place.holder)
	}
	p.tenants[client] = own
	p.used += units
	own.held += units
	own.holders[holder] += units
	return yielding, nil
}

// candidate is a holder that has been waited for long enough to make room.
type candidate[K comparable] struct {
	client K
	tenant *tenant
	holder Holder
	since  time.Time
}

// room returns the holders that must make room for a client to have so many places more. It is false where all that may be
// taken would not do, so that nobody loses its places in vain.
func (p *Places[K]) room(own *tenant, units int) (room []candidate[K], ok bool) {
	change := change{own: own, units: units, free: p.options.Capacity - p.used, lost: map[*tenant]int{}}
	if p.admits(change) {
		return nil, true
	}
	candidates := p.candidates()
	for !p.admits(change) {
		next := p.longestStalled(candidates, change)
		if next < 0 {
			return nil, false
		}
		change.lose(candidates[next].tenant, candidates[next].holder)
		room = append(room, candidates[next])
		candidates = slices.Delete(candidates, next, next+1)
	}
	return room, true
}

// change is what would be if a client had so many places more and some holders had made room for it.
type change struct {
	own    *tenant
	units  int
	free   int
	lost   map[*tenant]int
	others bool // whether holders of others have made room
}

func (c *change) lose(of *tenant, holder Holder) {
	c.lost[of] += of.holders[holder]
	c.free += of.holders[holder]
	c.others = c.others || of != c.own
}

// held is what a client still has of its places.
func (c *change) held(of *tenant) int { return of.held - c.lost[of] }

// wanted is what the client would have.
func (c *change) wanted() int { return c.held(c.own) + c.units }

// admits reports whether a client may have what it wants. Once others have made room for it, it may have what is free, because they
// had no less than it gets. Room that it has made itself gives it no larger share than it had.
func (p *Places[K]) admits(c change) bool {
	if c.units > c.free || p.isCapped(c) {
		return false
	}
	return c.own.many || c.others || c.wanted() <= c.own.held || admits(c.held(c.own), c.units, c.free)
}

func (p *Places[K]) isCapped(c change) bool {
	return p.options.PerClient > 0 && !c.own.many && c.wanted() > p.options.PerClient
}

// candidates returns all holders that have been waited for long enough.
func (p *Places[K]) candidates() (found []candidate[K]) {
	latest := p.options.Now().Add(-grace)
	for client, tenant := range p.tenants {
		for holder := range tenant.holders {
			if since := holder.StalledSince(); !since.IsZero() && !since.After(latest) {
				found = append(found, candidate[K]{client, tenant, holder, since})
			}
		}
	}
	return found
}

// longestStalled returns which one has to make room next, or -1: a holder of the client itself, or of one that has no less than it
// would have.
func (p *Places[K]) longestStalled(candidates []candidate[K], c change) int {
	found, most := -1, 0
	for i, other := range candidates {
		held := c.held(other.tenant)
		if other.tenant != c.own && (p.isCapped(c) || held < c.wanted()) || held < most {
			continue
		}
		if found < 0 || held > most || other.since.Before(candidates[found].since) {
			found, most = i, held
		}
	}
	return found
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
