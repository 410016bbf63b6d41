// Package revocation remembers which sessions ended before their tokens expired, so that the gateway refuses those
// tokens without asking anyone.
//
// It learns of them in three ways: from the answers of accounts that pass through this gateway (so that the very next
// request is refused), from what accounts publishes (for what passed through another gateway), and by asking four times
// a second over HTTP for what is after the last number that it knows (for what was missed). It knows how old its
// knowledge is, and says so when it is too old to decide by.
package revocation

import (
	"container/heap"
	"sync"
	"time"

	"oms.internal/libs/contracts/accounts"
)

// forgetAtOnce is how many outdated entries one call of Add removes at most, beside as many as it adds: it keeps the
// memory from growing and no request from waiting for a large cleaning.
const forgetAtOnce = 100

// Memory is the set of revocations. Its methods may be called from many goroutines.
type Memory struct {
	now func() time.Time

	mu       sync.RWMutex
	sessions map[uint64]int64 // session id -> until, in Unix seconds
	members  map[uint64]ended
	expiries expiries
}

// NewMemory returns an empty memory with a clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, sessions: map[uint64]int64{}, members: map[uint64]ended{}}
}

// Revoked reports whether a session of a member has been ended.
func (m *Memory) Revoked(memberID, sessionID uint64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if _, gone := m.sessions[sessionID]; gone {
		return true
	}
	return m.members[memberID].covers(sessionID)
}

// Add remembers revocations until their tokens have expired.
func (m *Memory) Add(revocations []accounts.Revocation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now().Unix()
	for _, revocation := range revocations {
		// Rounded up, since a revocation may be remembered too long but not too short.
		until := revocation.Until.Unix() + 1
		if until <= now {
			continue
		}
		if revocation.SessionID != 0 {
			m.addSession(revocation.SessionID, until)
		}
		if revocation.MemberID != 0 && revocation.ThroughSession != 0 {
			m.addMember(revocation.MemberID, ended{revocation.ThroughSession, revocation.ExceptSession, until})
		}
	}
	m.forget(now, forgetAtOnce+2*len(revocations))
}

func (m *Memory) addSession(id uint64, until int64) {
	if m.sessions[id] < until {
		m.sessions[id] = until
		heap.Push(&m.expiries, expiry{until: until, id: id})
	}
}

func (m *Memory) addMember(id uint64, added ended) {
	known, found := m.members[id]
	joined := added
	if found {
		joined = join(known, added)
	}
	m.members[id] = joined
	if known.until < joined.until {
		heap.Push(&m.expiries, expiry{until: joined.until, id: id, member: true})
	}
}

// forget removes up to limit entries that are over. An entry that was prolonged has a later expiry of its own.
func (m *Memory) forget(now int64, limit int) {
	for range limit {
		if len(m.expiries) == 0 || m.expiries[0].until > now {
			return
		}
		over := heap.Pop(&m.expiries).(expiry) // the heap holds nothing else
		if over.member && m.members[over.id].until <= now {
			delete(m.members, over.id)
		}
		if !over.member && m.sessions[over.id] <= now {
			delete(m.sessions, over.id)
		}
	}
}

// Len is how many revocations are remembered.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.sessions) + len(m.members)
}
