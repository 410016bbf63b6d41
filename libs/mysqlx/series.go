package mysqlx

import (
	"sync"
	"time"
)

// seriesInterval is how often a failure that every request meets is logged.
const seriesInterval = 10 * time.Second

// series bounds the lines of one kind of failure. In an outage each request meets the same one, and thousands of lines would fill
// the disk and hide the others.
type series struct {
	mutex   sync.Mutex
	next    time.Time
	leftOut int
}

// due reports whether a failure at this time is to be logged, and how many were left out since the last that was.
func (s *series) due(now time.Time) (leftOut int, due bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if now.Before(s.next) {
		s.leftOut++
		return 0, false
	}
	leftOut, s.leftOut, s.next = s.leftOut, 0, now.Add(seriesInterval)
	return leftOut, true
}
