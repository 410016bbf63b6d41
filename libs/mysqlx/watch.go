package mysqlx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// MaxLag is how far a replica may be behind before it is left out.
const MaxLag = 2 * time.Second

const (
	lookInterval = 250 * time.Millisecond
	lookTimeout  = 400 * time.Millisecond
	// A replica that stops answering is left out after at most lookInterval + lookTimeout; a primary that only hangs keeps
	// its role for longer.
	primaryPatience = 2 * time.Second
	beatEvery       = 2 // looks
)

// unknownLag is the lag of a replica that has applied no heartbeat of this process yet.
const unknownLag = time.Duration(1<<63 - 1)

// Run looks at every server until ctx ends: whether it answers, which role it has, and how far it is behind. Then it
// closes the pools.
func (c *Cluster) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	for _, host := range c.hosts {
		watchers.Go(func() { c.watch(ctx, host) })
	}
	watchers.Wait()
	return c.Close()
}

func (c *Cluster) watch(ctx context.Context, host *host) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	answered := time.Now()
	for looks := 0; ; looks++ {
		next := c.look(ctx, host, looks%beatEvery == 0)
		if ctx.Err() != nil {
			return
		}
		switch {
		case next.role != unreachable:
			answered = time.Now()
		case host.current().role == primary && errors.Is(next.err, context.DeadlineExceeded) && time.Since(answered) < primaryPatience:
			// A busy disk must not stop all writes: there is no other primary to turn to, and requests have deadlines of
			// their own.
			next = host.current()
		}
		if previous := host.set(next); previous.role != next.role {
			c.log.Info("database server changed its role", "host", host.addr, "was", previous.role, "is", next.role, "error", next.err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (c *Cluster) look(ctx context.Context, host *host, beat bool) state {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var readOnly bool
	var applied uint64
	row := host.db.QueryRowContext(ctx, "SELECT @@global.read_only, (SELECT beat FROM heartbeat WHERE id = 1)")
	if err := row.Scan(&readOnly, &applied); err != nil {
		return state{role: unreachable, err: fmt.Errorf("%s: %w", host.addr, err)}
	}
	if readOnly {
		return state{role: replica, lag: c.beats.lag(applied, time.Now())}
	}
	if beat {
		// A beat that is late tells of a busy disk, not of a lost server.
		if err := c.beat(ctx, host); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return state{role: unreachable, err: fmt.Errorf("%s: heartbeat: %w", host.addr, err)}
		}
	}
	return state{role: primary}
}

// beat increments the counter on the primary. A replica's lag is the age of the oldest beat that it has not applied:
// that needs neither a privilege to ask for the replication status nor clocks that agree, and it stays truthful when
// the connection between the servers hangs.
func (c *Cluster) beat(ctx context.Context, host *host) error {
	result, err := host.db.ExecContext(ctx, "UPDATE heartbeat SET beat = LAST_INSERT_ID(beat + 1) WHERE id = 1")
	if err != nil {
		return err
	}
	number, err := result.LastInsertId()
	if err != nil {
		return err
	}
	c.beats.add(uint64(number), time.Now())
	return nil
}

// beats remembers when this process wrote which heartbeats.
type beats struct {
	mutex   sync.Mutex
	written []beat
}

type beat struct {
	number uint64
	at     time.Time
}

const rememberedBeats = 64

func (b *beats) add(number uint64, at time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.written) == rememberedBeats {
		b.written = append(b.written[:0], b.written[1:]...)
	}
	b.written = append(b.written, beat{number, at})
}

// lag returns for how long the server that has applied the given beat has been without the next one. A server that has
// none of the remembered beats may be behind by any time. With the primary away there are no further beats, and a
// replica that has applied the last one is not behind.
func (b *beats) lag(applied uint64, now time.Time) time.Duration {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.written) == 0 || applied < b.written[0].number {
		return unknownLag
	}
	for _, written := range b.written {
		if written.number > applied {
			return now.Sub(written.at)
		}
	}
	return 0
}
