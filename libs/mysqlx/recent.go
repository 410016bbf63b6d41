package mysqlx

import (
	"context"
	"sync"
	"time"
)

// writeMemory is how old a write must be before every replica in use has it: the lag that is allowed, and the time that
// may pass until a greater one is noticed.
const writeMemory = MaxLag + lookInterval + lookTimeout

// RecentWrites remembers which members wrote a moment ago. Their reads belong to the primary, since a replica in use may
// still be behind. The memory is that of this process only.
type RecentWrites struct {
	now     func() time.Time
	mutex   sync.Mutex
	last    map[uint64]time.Time
	cleaned time.Time
}

// NewRecentWrites returns an empty memory with a clock.
func NewRecentWrites(now func() time.Time) *RecentWrites {
	return &RecentWrites{now: now, last: map[uint64]time.Time{}}
}

// Mark notes that the member's write was acknowledged now.
func (r *RecentWrites) Mark(memberID uint64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := r.now()
	r.last[memberID] = now
	if now.Sub(r.cleaned) < writeMemory {
		return
	}
	r.cleaned = now
	for id, at := range r.last {
		if now.Sub(at) > writeMemory {
			delete(r.last, id)
		}
	}
}

// Wrote reports whether the member wrote so lately that a replica in use may not have it.
func (r *RecentWrites) Wrote(memberID uint64) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	at, found := r.last[memberID]
	return found && r.now().Sub(at) <= writeMemory
}

// ReadRecent is Read.
func (c *Cluster) ReadRecent(ctx context.Context, read func(context.Context, Reader) error) error {
	return c.Read(ctx, read)
}
