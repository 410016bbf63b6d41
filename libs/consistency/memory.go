package consistency

import (
	"sync"
	"time"
)

const (
	// memoryTime is how long a token is kept at least; it may be kept twice as long. While a process sees the primary,
	// replicas that are further behind than two seconds serve nobody. Of one that sees only a replica, cut off from the
	// primary as well, this is how long its members are sure not to see less than they were told.
	memoryTime = time.Minute
	// maxMembers bounds a generation: two of them take about 6 MiB.
	maxMembers = 50_000
)

// Memory keeps the latest token of each member that wrote within the last minute. It is safe for concurrent use.
//
// It has a size. When more members write than it holds, those whose tokens are the oldest share the latest of them: then
// replicas serve less for a while, but nobody is served what is too old.
type Memory struct {
	now        func() time.Time
	mutex      sync.Mutex
	young, old generation
	shared     Token
	sharedAt   time.Time
}

// generation holds what was raised within one span of time.
type generation struct {
	since  time.Time
	tokens map[uint64]Token
	latest Token
}

// NewMemory returns an empty memory with a clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, young: generation{since: now(), tokens: map[uint64]Token{}}}
}

// Note remembers that the members must see what was written. For a member with a later token it changes nothing; an id of 0
// is nobody.
func (m *Memory) Note(written Written) {
	if written.Token == 0 {
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.age()
	for _, id := range written.MemberIDs {
		if id != 0 {
			m.raise(id, written.Token)
		}
	}
}

func (m *Memory) raise(memberID uint64, token Token) {
	known, found := m.young.tokens[memberID]
	if known >= token {
		return
	}
	if !found && len(m.young.tokens) >= maxMembers {
		m.shared, m.sharedAt = max(m.shared, m.old.latest), m.now()
		m.renew()
	}
	m.young.tokens[memberID] = token
	m.young.latest = max(m.young.latest, token)
}

// Of returns the member's token, 0 where none is known.
func (m *Memory) Of(memberID uint64) Token {
	if memberID == 0 {
		return 0
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.age()
	return max(m.shared, m.old.tokens[memberID], m.young.tokens[memberID])
}

// age forgets what is older than memoryTime.
func (m *Memory) age() {
	now := m.now()
	if now.Sub(m.sharedAt) > memoryTime {
		m.shared = 0
	}
	passed := now.Sub(m.young.since)
	if passed < memoryTime {
		return
	}
	m.renew()
	if passed >= 2*memoryTime {
		m.old = generation{}
	}
}

// renew begins a new generation in the place of the older one.
func (m *Memory) renew() {
	m.old = m.young
	m.young = generation{since: m.now(), tokens: map[uint64]Token{}}
}
