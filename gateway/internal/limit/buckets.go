package limit

import (
	"sync"
	"time"
)

// maxBuckets bounds how many buckets are remembered in each of two generations. Limits per address cannot stop somebody who asks
// from more addresses than that at once, but such a client must not fill the memory either.
const maxBuckets = 8_192

// buckets holds one token bucket for each key. A bucket is one number: the time at which it will be full again (the
// "theoretical arrival time" of the generic cell rate algorithm). One that is full need not be remembered.
type buckets[K comparable] struct {
	rate Rate
	now  func() time.Time

	mu sync.Mutex
	// When recent is full, it becomes older, and what older was is forgotten. A key that is asked for goes into recent, so the
	// least recently used are forgotten.
	recent, older map[K]time.Time
}

// level is a bucket after a request.
type level struct {
	taken      bool // whether the request has its token
	remaining  int
	full       time.Duration // until the bucket is full again
	retryAfter time.Duration // until there is a token, where there was none
}

func newBuckets[K comparable](rate Rate, now func() time.Time) *buckets[K] {
	return &buckets[K]{rate: rate, now: now, recent: map[K]time.Time{}}
}

// take takes a token from the bucket of key.
func (b *buckets[K]) take(key K) level {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	full, found := b.recent[key]
	if !found {
		full = b.older[key]
	}
	if full.Before(now) {
		full = now
	}
	after := full.Add(b.rate.interval())
	if over := after.Sub(now) - b.rate.window(); over > 0 {
		return level{full: full.Sub(now), retryAfter: over}
	}
	b.remember(key, after)
	room := b.rate.window() - after.Sub(now)
	return level{taken: true, remaining: int(room / b.rate.interval()), full: after.Sub(now)}
}

func (b *buckets[K]) remember(key K, full time.Time) {
	if _, found := b.recent[key]; !found && len(b.recent) >= maxBuckets {
		b.older, b.recent = b.recent, map[K]time.Time{}
	}
	b.recent[key] = full
}

func (b *buckets[K]) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.recent) + len(b.older)
}
