package mysqlx

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// MaxLag is how far a replica may be behind before nobody reads from it.
const MaxLag = 2 * time.Second

const (
	lookInterval = 100 * time.Millisecond
	// defaultPatience is that of Config.
	defaultPatience = 2 * time.Second
	// looksWithin is how many looks that hang a primary's patience has room for.
	looksWithin = 5
	// idleBeat is the age of the newest beat at which the next one is due while nobody writes.
	idleBeat = time.Second
	// beatTimeout bounds one beat. It covers the second for which a commit waits for a replica that does not answer.
	beatTimeout = 3 * time.Second
)

const (
	nowMicros = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
	lookQuery = "SELECT @@global.read_only, beat, epoch, " + nowMicros + " FROM heartbeat WHERE id = 1"
	beatStart = "UPDATE heartbeat"
	beatQuery = beatStart + " SET beat = GREATEST(beat + 1, " + nowMicros + ") WHERE id = 1"
)

// Run looks at every server until ctx ends: whether it answers, which role it has, how far it is behind. It also writes the primary's
// heartbeats. When ctx has ended, it closes the pools.
func (c *Cluster) Run(ctx context.Context) error {
	var watchers sync.WaitGroup
	for _, host := range c.hosts {
		watchers.Go(func() { c.watch(ctx, host) })
		// Beats are apart from looks and for each server, so that a server that hangs in a beat delays neither its looks nor the beats of
		// the server that replaces it.
		watchers.Go(func() { c.keepBeating(ctx, host) })
	}
	watchers.Wait()
	return c.Close()
}

func (c *Cluster) watch(ctx context.Context, host *host) {
	answered := time.Now()
	var leads, askedSemiSync time.Time // since when the host is the primary
	c.rest.every(ctx, func() {
		began := time.Now()
		next := c.look(ctx, host)
		if ctx.Err() != nil {
			return
		}
		defer c.rest.looked(host, began)
		switch {
		case next.role != unreachable:
			answered = time.Now()
		case host.current().role == primary && errors.Is(next.err, context.DeadlineExceeded) && time.Since(answered) < c.patience:
			// A busy disk must not stop all writes. There is no other primary to turn to, and requests have their own deadlines.
			next = host.current()
		}
		if previous := host.set(next); previous.role != next.role || previous.epoch != next.epoch {
			c.log.Info("database server changed its role", "host", host.addr, "was", previous.shownRole(), "is", next.role,
				"epoch", next.epoch, "error", next.err)
		}
		if leader, err := c.primary(); err != nil || leader != host {
			leads = time.Time{}
			return
		}
		if leads.IsZero() {
			leads = time.Now()
		}
		c.noteStall(host, leads, time.Now())
		if time.Since(askedSemiSync) >= semiSyncInterval {
			askedSemiSync = time.Now()
			c.askSemiSync(ctx, host)
		}
	})
}

func (c *Cluster) lookTimeout() time.Duration { return c.patience / looksWithin }

// look asks a server for its role and its heartbeat, and takes a sample of V.
func (c *Cluster) look(ctx context.Context, host *host) state {
	ctx, cancel := context.WithTimeout(ctx, c.lookTimeout())
	defer cancel()
	var readOnly bool
	var found state
	taken := sample{asked: time.Now()}
	var clock uint64
	row := host.looks.QueryRowContext(ctx, lookQuery)
	if err := row.Scan(&readOnly, &found.applied, &found.epoch, &clock); err != nil {
		gone := host.gone(fmt.Errorf("%s: %w", host.addr, err))
		c.showLag(host, gone)
		return gone
	}
	taken.value = max(found.applied, clock)
	host.keep(taken)
	// The statement ran at some time between the question and the answer.
	found.clock = time.UnixMicro(int64(clock)).Sub(taken.asked.Add(time.Since(taken.asked) / 2).Round(0))
	c.noteClock(host, found.clock)
	raise(&c.epoch, found.epoch)
	if !readOnly {
		c.metrics.lag.DeleteLabelValues(host.addr)
		found.role = primary
		if found.epoch == c.epoch.Load() {
			c.beats.add(found.applied, time.Now())
		}
		return found
	}
	found.role, found.follows = replica, true
	found.lag = c.showLag(host, found)
	return found
}

// showLag returns a replica's lag, and sets the metric if the replica has been seen.
func (c *Cluster) showLag(host *host, current state) time.Duration {
	lag := c.beats.lag(current.applied, time.Now())
	if shown, known := c.beats.shownLag(current.applied, lag); known && current.follows {
		c.metrics.lag.WithLabelValues(host.addr).Set(shown.Seconds())
	}
	return lag
}

// keepBeating writes beats while the host is the primary, until ctx ends.
func (c *Cluster) keepBeating(ctx context.Context, host *host) {
	late := false // whether the last beat was not answered in time
	c.rest.every(ctx, func() {
		if leader, err := c.primary(); err != nil || leader != host {
			return
		}
		if !c.beatIsDue(time.Now()) {
			c.beatRefused.Store(nil) // the primary takes the beats of another process
			return
		}
		if late && c.hangs(ctx, host) {
			_ = pause(ctx, idleBeat)
			return
		}
		err := c.beat(ctx, host)
		c.noteFull(host, err)
		late = errors.Is(err, context.DeadlineExceeded)
		if _, refused := errors.AsType[*mysql.MySQLError](err); refused && !isConflict(err) {
			err = fmt.Errorf("%s: heartbeat: %w", host.addr, err)
			c.beatRefused.Store(&err)
			return
		}
		// A late beat is no refusal but a sign of a busy or full disk (see noteStall). Looks notice a lost connection.
		c.beatRefused.Store(nil)
	})
}

// beatIsDue reports whether a beat is needed. After a write of this process one is due until the primary has a newer beat, so that replicas
// can serve whoever wrote. Otherwise one is due every second, so that a replica that has everything differs from one that has stopped.
// The beats of other processes count, too.
func (c *Cluster) beatIsDue(now time.Time) bool {
	newest := c.beats.newest()
	return newest.number <= c.wrote.Load() || now.Sub(newest.at) >= idleBeat
}

// beat writes the next beat. A heartbeat shows a replica's lag better than the replication status: it needs no privilege, and stays true
// while the connection between the servers hangs.
func (c *Cluster) beat(ctx context.Context, host *host) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	_, err := host.looks.ExecContext(ctx, beatQuery)
	return err
}
