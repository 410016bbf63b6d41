package revocation

import (
	"sync"

	"oms.internal/libs/contracts/accounts"
)

// sequence is the number up to which every revocation has been received. Numbers are given without gaps, so that what
// is missing shows.
type sequence struct {
	mu    sync.Mutex
	known uint64
}

func (s *sequence) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

// hear counts single revocations, and reports whether one must have been missed before them. They are not counted
// beyond a gap; the pull that fills it brings them once more.
func (s *sequence) hear(revocations []accounts.Revocation) (missed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, revocation := range revocations {
		switch {
		case revocation.Sequence == s.known+1:
			s.known++
		case revocation.Sequence > s.known:
			missed = true
		}
	}
	return missed
}

// complete counts a reply that holds everything up to latest.
func (s *sequence) complete(latest uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = max(s.known, latest)
}

// restart begins to count anew.
func (s *sequence) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = 0
}
