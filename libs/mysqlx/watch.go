package mysqlx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MaxLag is how far a replica may be behind before it is left out.
const MaxLag = 2 * time.Second

const (
	lookInterval = 100 * time.Millisecond
	lookTimeout  = 400 * time.Millisecond
	// A replica that stops answering is left out after at most lookInterval + lookTimeout; a primary that only hangs keeps
	// its role for longer.
	primaryPatience = 2 * time.Second
	// idleBeat is how old the newest beat may become while nobody writes.
	idleBeat = time.Second
	// beatTimeout bounds one beat. It covers the second for which a commit may wait for a replica that does not answer.
	beatTimeout = 3 * time.Second
)

const (
	nowMicros = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
	lookQuery = "SELECT @@global.read_only, beat, epoch, GREATEST(beat, " + nowMicros + ") FROM heartbeat WHERE id = 1"
	beatQuery = "UPDATE heartbeat SET beat = GREATEST(beat + 1, " + nowMicros + ") WHERE id = 1"
)

// Run looks at every server until ctx ends: whether it answers, which role it has, and how far it is behind; and keeps
// the primary's heart beating. Then it closes the pools.
func (c *Cluster) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	for _, host := range c.hosts {
		watchers.Go(func() { c.watch(ctx, host) })
		// One that hangs in a beat holds up neither its looks nor the beats of the server that replaces it.
		watchers.Go(func() { c.keepBeating(ctx, host) })
	}
	watchers.Wait()
	return c.Close()
}

// every calls work now and at each look's time until ctx ends.
func every(ctx context.Context, work func()) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		work()
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

func (c *Cluster) watch(ctx context.Context, host *host) {
	answered := time.Now()
	every(ctx, func() {
		next := c.look(ctx, host)
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
		if previous := host.set(next); previous.role != next.role || previous.epoch != next.epoch {
			c.log.Info("database server changed its role", "host", host.addr, "was", previous.role, "is", next.role,
				"epoch", next.epoch, "error", next.err)
		}
	})
}

// look asks a server for its role and its row of heartbeat, and takes a sample of V.
func (c *Cluster) look(ctx context.Context, host *host) state {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var readOnly bool
	var found state
	taken := sample{asked: time.Now()}
	row := host.looks.QueryRowContext(ctx, lookQuery)
	if err := row.Scan(&readOnly, &found.applied, &found.epoch, &taken.value); err != nil {
		c.metrics.lag.DeleteLabelValues(host.addr)
		return state{role: unreachable, err: fmt.Errorf("%s: %w", host.addr, err)}
	}
	host.keep(taken)
	raise(&c.epoch, found.epoch)
	if !readOnly {
		c.metrics.lag.DeleteLabelValues(host.addr)
		found.role = primary
		if found.epoch == c.epoch.Load() {
			c.beats.add(found.applied, time.Now())
		}
		return found
	}
	found.role, found.lag = replica, c.beats.lag(found.applied, time.Now())
	if lag, known := c.beats.shownLag(found.applied, found.lag); known {
		c.metrics.lag.WithLabelValues(host.addr).Set(lag.Seconds())
	}
	return found
}

// keepBeating writes beats while the host is the primary.
func (c *Cluster) keepBeating(ctx context.Context, host *host) {
	every(ctx, func() {
		if leader, err := c.primary(); err != nil || leader != host {
			return
		}
		if !c.beatIsDue(time.Now()) {
			c.unbeaten.Store(nil) // somebody else's beats are taken
			return
		}
		err := c.beat(ctx, host)
		if _, refused := errors.AsType[*mysql.MySQLError](err); refused && !isConflict(err) {
			err = fmt.Errorf("%s: heartbeat: %w", host.addr, err)
			c.unbeaten.Store(&err)
			return
		}
		// A beat that is late tells of a busy disk, and a connection that is lost is noticed by the looks.
		c.unbeaten.Store(nil)
	})
}

// beatIsDue reports whether a replica waits for a beat: after a write of this process, until the primary has a beat that
// is newer; else once a second, to tell a replica that has everything from one that has stopped. The beats of other
// processes are as good as ours.
func (c *Cluster) beatIsDue(now time.Time) bool {
	newest := c.beats.newest()
	return newest.number <= c.wrote.Load() || now.Sub(newest.at) >= idleBeat
}

// beat moves the row of heartbeat on. It needs no privilege to ask for the replication status, and it stays truthful when
// the connection between the servers hangs.
func (c *Cluster) beat(ctx context.Context, host *host) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	_, err := host.looks.ExecContext(ctx, beatQuery)
	return err
}
