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
	full, after, over := b.look(key, now)
	if over > 0 {
		return level{full: full.Sub(now), retryAfter: over}
	}
	b.remember(key, after)
	room := b.rate.window() - after.Sub(now)
	return level{taken: true, remaining: int(room / b.rate.interval()), full: after.Sub(now)}
}

// give puts a token back that was taken from the bucket of key. One that is full needs none.
func (b *buckets[K]) give(key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if full, _, _ := b.look(key, b.now()); full.After(b.now()) {
		b.remember(key, full.Add(-b.rate.interval()))
	}
}

// wait is how long it takes until there is a token in the bucket of key, 0 if there is one.
func (b *buckets[K]) wait(key K) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _, over := b.look(key, b.now())
	return max(0, over)
}

// look returns when the bucket will be full, when it would be full with one token less, and how long there is no token yet; that is not
// above 0 where there is one.
func (b *buckets[K]) look(key K, now time.Time) (full, after time.Time, over time.Duration) {
	full, found := b.recent[key]
	if !found {
		full = b.older[key]
	}
	if full.Before(now) {
		full = now
	}
	after = full.Add(b.rate.interval())
	return full, after, after.Sub(now) - b.rate.window()
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
