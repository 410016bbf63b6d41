package chaos

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// outcome is what became of one request.
type outcome int

const (
	succeeded outcome = iota
	// failed is an answer of 5xx, or none.
	failed
	// refused is a connection that a gateway refused: nothing was sent, and any client tries again.
	refused
	// inFlight is the answer to a repetition whose original is still being worked on.
	inFlight
)

// attempt is one request.
type attempt struct {
	began, ended time.Time
	write        bool
	outcome      outcome
	what         string // of one that failed
}

// acknowledgement is an order that a member was told to have.
type acknowledgement struct {
	member *member
	id     uint64
	at     time.Time
}

// journal records what the clients were told.
type journal struct {
	mutex        sync.Mutex
	attempts     []attempt
	acknowledged map[string]acknowledgement // by product
	conflicting  []string                   // one product, two ids
	stale        []string
	unexpected   []string
	replayed     int
	givenUp      int
	// Of members whom nothing is promised: reads, and those that lacked something.
	carelessReads, careless int
}

func newJournal() *journal { return &journal{acknowledged: map[string]acknowledgement{}} }

func (j *journal) note(a attempt) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.attempts = append(j.attempts, a)
}

func (j *journal) acknowledge(product string, told acknowledgement, replayed bool) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if before, known := j.acknowledged[product]; known && before.id != told.id {
		j.conflicting = append(j.conflicting, fmt.Sprintf("%s is %d and %d", product, before.id, told.id))
	}
	j.acknowledged[product] = told
	if replayed {
		j.replayed++
	}
}

func (j *journal) giveUp() {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.givenUp++
}

// lacks notes a read that did not show what it had to.
func (j *journal) lacks(format string, arguments ...any) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.stale = append(j.stale, fmt.Sprintf(format, arguments...))
}

// measure notes a read of a member whom nothing is promised.
func (j *journal) measure(lacking bool) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.carelessReads++
	if lacking {
		j.careless++
	}
}

// surprise notes an answer that no fault explains.
func (j *journal) surprise(format string, arguments ...any) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.unexpected = append(j.unexpected, fmt.Sprintf(format, arguments...))
}

// count returns how many requests ended that way.
func (j *journal) count(ended outcome) int {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	number := 0
	for _, a := range j.attempts {
		if a.outcome == ended {
			number++
		}
	}
	return number
}

// reads is how many reads succeeded.
func (j *journal) reads() int {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	number := 0
	for _, a := range j.attempts {
		if !a.write && a.outcome == succeeded {
			number++
		}
	}
	return number
}

// examples returns some failed requests, with the time since the first request.
func (j *journal) examples(most int) []string {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	var found []string
	for _, a := range j.attempts {
		if a.outcome == failed && len(found) < most {
			found = append(found, fmt.Sprintf("%.2f s, after %.3f s: %s",
				a.ended.Sub(j.attempts[0].began).Seconds(), a.ended.Sub(a.began).Seconds(), a.what))
		}
	}
	return found
}

// recovery is the time from mark to the first write that began after it and succeeded, or to the last failed request, whichever is later.
// It is false as long as no write has succeeded.
func (j *journal) recovery(mark time.Time) (time.Duration, bool) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	var first, last time.Duration
	found := false
	for _, a := range slices.Backward(j.attempts) {
		if a.ended.Before(mark) {
			break
		}
		since := a.ended.Sub(mark)
		switch {
		case a.outcome == failed:
			last = max(last, since)
		case a.outcome == succeeded && a.write && !a.began.Before(mark):
			if !found || since < first {
				first = since
			}
			found = true
		}
	}
	return max(first, last), found
}

// calm tells whether at least so many writes that began since mark have succeeded in the last while, and no request failed.
// Reads alone say little: a replica answers them while there is no primary, and who wants to write waits longer from try to try.
func (j *journal) calm(mark time.Time, while time.Duration, least int) bool {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	begin := time.Now().Add(-while)
	if begin.Before(mark) {
		return false
	}
	good := 0
	for _, a := range slices.Backward(j.attempts) {
		if a.ended.Before(begin) {
			break
		}
		switch {
		case a.outcome == failed:
			return false
		case a.outcome == succeeded && a.write && !a.began.Before(mark):
			good++
		}
	}
	return good >= least
}
