package mysqlx

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"oms.internal/libs/consistency"
)

// How a read is known to be new enough, without a question to the primary at each write.
//
// The row of table heartbeat holds beat: a time on the primary's clock, in microseconds since 1970. Each beat sets it to
// GREATEST(beat + 1, now), so it only ever grows, whatever the clock does. V is the greater of the primary's clock and its beat. Two
// facts follow:
//
//  1. A server that has applied beat H has applied every transaction that was acknowledged while V was below H. At that moment beat H was
//     not yet visible on the primary. Servers make commits visible in the order of their binary log, so the transaction stands
//     before the beat in that log, and replicas keep this order. The clock plays no part in this.
//  2. A sample of V that was asked for at the local time t0 bounds V at every later local time t: V <= sample + (t - t0) + drift. The answer
//     was made after t0, and while a clock is corrected gradually, it gains no more than drift. If the beat is ahead of the clock,
//     it grows by one microsecond at a time, which is slower than that.
//
// So the bound at the time of an acknowledgement is a token for the transaction: a replica that has applied a beat above the token has
// the transaction. The bound is too high by the time of one round trip to the primary. That sends a few of the caller's reads
// to the primary, and never allows a stale one.
//
// This assumes three things. Commits keep their order: binlog_order_commits and replica_preserve_commit_order are on, which is the
// default. The primary's clock is not set forward at one stroke while there are writes: NTP sets it when the machine starts,
// and corrects it gradually afterwards. Machines are not suspended. A clock that is set back, or a promoted server whose clock
// is behind, does no harm: V stands still, and whoever wrote reads from the primary until the clock has caught up.

const (
	// driftShare and driftLeast are the margin for clocks that run at different speeds: a fifth of the time since the sample, and a
	// least amount. chrony lets a clock gain or lose at most a twelfth, and two clocks may differ in opposite directions.
	driftShare = 5
	driftLeast = time.Millisecond
)

// settling is how long before a server's beat a time is settled there (Settled). A transaction sends its COMMIT within seconds, because a
// request ends then. So it stands in the binary log before a beat of a minute later, even where both wait there for space on the disk. The
// rest of the minute is for clocks of other machines that differ from the primary's.
const settling = time.Minute

// Settled returns a time that is settled on the server which reader asks. The rows that were inserted before then, and any rows that got lower
// ids than one of these, are seen there by every later statement, if they ever will be. It does not matter how far a replica is behind. The
// time of a row may be that of the process that inserted it.
func Settled(ctx context.Context, reader interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (time.Time, error) {
	var beat uint64
	// After a clock was set back, beats are ahead of it for a while.
	if err := reader.QueryRowContext(ctx, "SELECT LEAST(beat, "+nowMicros+") FROM heartbeat WHERE id = 1").Scan(&beat); err != nil {
		return time.Time{}, err
	}
	return time.UnixMicro(min(int64(beat), time.Now().UnixMicro())).UTC().Add(-settling), nil
}

// sample is the value of V on one server, and the local time at which it was asked for.
type sample struct {
	asked time.Time
	value uint64
}

// bound returns what V cannot exceed at the local time now.
func (s sample) bound(now time.Time) consistency.Token {
	passed := max(now.Sub(s.asked), 0)
	return consistency.Token(s.value + uint64((passed + passed/driftShare + driftLeast).Microseconds()))
}

// unknownLag is the lag of a replica that is further behind than this process remembers beats.
const unknownLag = time.Duration(1<<63 - 1)

// rememberedBeats covers more than MaxLag, at ten beats a second.
const rememberedBeats = 64

// beats remembers the primary's last beats, and when this process first saw each of them.
type beats struct {
	mutex sync.Mutex
	seen  []beat
	// old is the beat that the primary had when this process began to look; begun says that it is known. Its age is unknown, so it
	// says nothing about a replica's lag and is not remembered.
	begun bool
	old   uint64
}

type beat struct {
	number uint64
	at     time.Time
}

// add notes that the primary has a beat.
func (b *beats) add(number uint64, at time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !b.begun {
		b.begun, b.old = true, number
	}
	if number == b.old {
		return
	}
	// A new primary may lack the last beats of the one before it, and go on from an earlier one.
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

// newest returns the last beat that was seen. It is the zero beat before the first.
func (b *beats) newest() beat {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.seen) == 0 {
		return beat{}
	}
	return b.seen[len(b.seen)-1]
}

// lag returns how long a server that has applied a beat has been without the next one. It counts local time, because the difference
// between two beats says little while the primary's clock is behind. If the server has none of the remembered beats, its lag is
// unknown. While the primary is away there are no further beats, and a replica that has applied the last one has no lag.
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

// shownLag returns the lag for the metric. If the lag is unknown, it is estimated by the difference between the beats. known is false
// before there is a beat to compare with.
func (b *beats) shownLag(applied uint64, lag time.Duration) (shown time.Duration, known bool) {
	newest := b.newest().number
	if lag == unknownLag && newest > applied {
		lag = time.Duration(newest-applied) * time.Microsecond
	}
	return lag, lag != unknownLag
}
