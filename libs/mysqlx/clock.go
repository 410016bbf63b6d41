package mysqlx

import (
	"sync"
	"time"

	"oms.internal/libs/consistency"
)

// How a read is known to be new enough, without asking the primary at each write.
//
// The row of table heartbeat holds beat, a time on the primary's clock in microseconds since 1970. Each beat sets it to
// GREATEST(beat + 1, now), so that it only ever grows, whatever the clock does. V is the greater of the primary's clock
// and its beat. Two things hold:
//
//  1. A server that has applied beat H has applied every transaction that was acknowledged while V was below H. For then
//     beat H was not yet visible on the primary; servers make commits visible in the order of their binary log; so the
//     transaction stands before the beat in that log, and replicas keep this order. Here the clock plays no part.
//  2. A sample of V that was asked for at the local time t0 bounds V at any later local time t: V <= sample + (t - t0) +
//     drift. For the answer was made after t0, and a clock that is set to the right time gradually gains no more than
//     drift. A beat ahead of the clock grows by one microsecond at a time, which takes longer than that.
//
// So the bound at the time of an acknowledgement is a token for it: a replica that has applied a beat above the token has
// the transaction. The bound is too late by the way to the primary and back, which costs the caller a few reads on the
// primary and never a stale one.
//
// What is assumed: commits keep their order (binlog_order_commits and replica_preserve_commit_order are on, as they are
// unless somebody turns them off); the primary's clock is not set forward at one stroke while there are writes (NTP at
// the start of a machine, gradual afterwards); machines are not suspended. A clock that is set back, and a promoted server
// whose clock is behind, are safe: V stands still, and who wrote reads from the primary until the clock has caught up.

const (
	// driftShare and driftLeast make the margin for clocks that run at different speeds: a share of the time since the
	// sample, and a least amount. chrony lets a clock gain or lose a twelfth at most; two clocks may do so at once.
	driftShare = 5
	driftLeast = time.Millisecond
)

// sample is V of one server, asked for at a local time.
type sample struct {
	asked time.Time
	value uint64
}

// bound is what V cannot exceed at the local time now.
func (s sample) bound(now time.Time) consistency.Token {
	passed := max(now.Sub(s.asked), 0)
	return consistency.Token(s.value + uint64((passed + passed/driftShare + driftLeast).Microseconds()))
}

// unknownLag is the lag of a replica that is further behind than this process remembers.
const unknownLag = time.Duration(1<<63 - 1)

// rememberedBeats reaches past MaxLag, at ten beats a second.
const rememberedBeats = 64

// beats remembers when this process first saw which beats on the primary.
type beats struct {
	mutex sync.Mutex
	seen  []beat
	// begun is set once old is known: the beat that the primary had when this process began to look. It may be of any
	// age, so that a replica which has it may be behind by any time; it is not remembered.
	begun bool
	old   uint64
}

type beat struct {
	number uint64
	at     time.Time
}

// add notes that the primary has the beat.
func (b *beats) add(number uint64, at time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !b.begun {
		b.begun, b.old = true, number
	}
	if number == b.old {
		return
	}
	// A primary that was promoted without the last beats of the one before starts below them.
	for len(b.seen) > 0 && b.seen[len(b.seen)-1].number > number {
		b.seen = b.seen[:len(b.seen)-1]
	}
	if len(b.seen) > 0 && b.seen[len(b.seen)-1].number == number {
		return
	}
	if len(b.seen) == rememberedBeats {
		b.seen = append(b.seen[:0], b.seen[1:]...)
	}
	b.seen = append(b.seen, beat{number, at})
}

// newest is the last beat that was seen, the zero beat before there was any.
func (b *beats) newest() beat {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.seen) == 0 {
		return beat{}
	}
	return b.seen[len(b.seen)-1]
}

// lag returns for how long the server that has applied the given beat has been without the next one. It counts local
// time rather than comparing beats, which tell little while a primary's clock is behind. A server that has none of the
// remembered beats may be behind by any time. With the primary away there are no further beats, and a replica that has
// applied the last one is not behind.
func (b *beats) lag(applied uint64, now time.Time) time.Duration {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.seen) == 0 || applied < b.seen[0].number {
		return unknownLag
	}
	for _, seen := range b.seen {
		if seen.number > applied {
			return now.Sub(seen.at)
		}
	}
	return 0
}

// shownLag is the lag for people: where it is not known, what the beats themselves say about it. It is false before there
// was any beat to compare with.
func (b *beats) shownLag(applied uint64, lag time.Duration) (time.Duration, bool) {
	newest := b.newest().number
	if lag == unknownLag && newest > applied {
		lag = time.Duration(newest-applied) * time.Microsecond
	}
	return lag, lag != unknownLag
}
