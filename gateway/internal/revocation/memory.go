// Package revocation remembers which sessions ended before their tokens expired, so that the gateway refuses those
// tokens without asking anyone.
//
// It learns of them in three ways: from the answers of accounts that pass through this gateway (so that the very next
// request is refused), from what accounts publishes (for what passed through another gateway), and by asking four times
// a second over HTTP for what is after the last number that it knows (for what was missed). It knows how old its
// knowledge is, and says so when it is too old to decide by.
package revocation

import (
	"math"
	"sync"
	"time"

	"oms.internal/libs/contracts/accounts"
)

// Memory is the set of revocations. Its methods may be called from many goroutines.
type Memory struct {
	now func() time.Time

	mu       sync.RWMutex
	sessions table[until]
	members  table[ended]
}

// until is when an ended session can be forgotten.
type until uint32

func (u until) expires() uint32 { return uint32(u) }

// NewMemory returns an empty memory with a clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now}
}

// Revoked reports whether a session of a member has been ended.
func (m *Memory) Revoked(memberID, sessionID uint64) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if _, gone := m.sessions.get(sessionID); gone {
		return true
	}
	ended, _ := m.members.get(memberID)
	return ended.covers(sessionID)
}

// Add remembers revocations until their tokens have expired. Each call forgets a part of those that are over, so that no request
// waits for a large cleaning.
func (m *Memory) Add(revocations []accounts.Revocation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := seconds(m.now())
	for _, revocation := range revocations {
		// Rounded up, since a revocation may be remembered too long but not too short.
		over := seconds(revocation.Until.Add(time.Second))
		if over <= now {
			continue
		}
		if revocation.SessionID != 0 {
			known, _ := m.sessions.get(revocation.SessionID)
			m.sessions.put(revocation.SessionID, max(known, until(over)))
		}
		if revocation.MemberID != 0 && revocation.ThroughSession != 0 {
			m.addMember(revocation.MemberID, newEnded(revocation.ThroughSession, revocation.ExceptSession, over))
		}
	}
	m.sessions.forget(now)
	m.members.forget(now)
}

func (m *Memory) addMember(id uint64, added ended) {
	if known, found := m.members.get(id); found {
		added = join(known, added)
	}
	m.members.put(id, added)
}

// seconds is a time in Unix seconds, or the nearest that can be told.
func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }

// Len is how many revocations are remembered.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.sessions.count + m.members.count
}
