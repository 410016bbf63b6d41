package consistency

import (
	"sync"
	"time"
)

// memoryTime is how long a token is kept. Replicas that are further behind than two seconds serve nobody, so it could be
// shorter; it is as long as a fail-over may take, too.
const memoryTime = time.Minute

// Memory keeps the latest token of each member that wrote within the last minute. It is safe for concurrent use.
type Memory struct {
	now     func() time.Time
	mutex   sync.Mutex
	members map[uint64]remembered
	swept   time.Time
}

type remembered struct {
	token Token
	at    time.Time
}

// NewMemory returns an empty memory with a clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, members: map[uint64]remembered{}, swept: now()}
}

// Raise notes that the member may have been told what the token covers. An older token changes nothing.
func (m *Memory) Raise(memberID uint64, token Token) {
	if memberID == 0 || token == 0 {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	now := m.now()
	if before := m.members[memberID]; before.token < token {
		m.members[memberID] = remembered{token, now}
	}
	if now.Sub(m.swept) < memoryTime {
		return
	}
	m.swept = now
	for id, kept := range m.members {
		if now.Sub(kept.at) > memoryTime {
			delete(m.members, id)
		}
	}
}

// Of returns the member's token, 0 where none is known.
func (m *Memory) Of(memberID uint64) Token {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.members[memberID].token
}
