package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// This file says in what the servers are not whole while the process is ready: requests are answered, but the next failure would cost data
// or reads take the primary's time.

// semiSyncInterval is how often the primary is asked whether commits wait for a replica.
const semiSyncInterval = 2 * time.Second

// fullTime is for how long a server that was full counts as one that still may be.
const fullTime = 30 * time.Second

// clockTolerance is how far the clocks of machines may be apart: as far as an assertion of who asks allows.
const clockTolerance = 5 * time.Second

// Status variables of both engines. MariaDB kept the old names.
const semiSyncQuery = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_source_status', 'Rpl_semi_sync_source_clients', " +
	"'Rpl_semi_sync_master_status', 'Rpl_semi_sync_master_clients')"

// semiSync is how many replicas a commit waits for at most. notOffered is for servers without semi-synchronous replication.
type semiSync int64

const notOffered semiSync = -1

// refusal is an error of a server that could not do its work, and when that was.
type refusal struct {
	at  time.Time
	err error
}

// Healthy returns nil while every server answers, replicas are up to date, commits wait for a replica where there is one, no
// server has lately been full, and the machines' clocks agree.
func (c *Cluster) Healthy() error {
	var problems []error
	replicas := 0
	leader, _ := c.primary()
	for _, host := range c.hosts {
		if err := host.clockApart(host.current().clock); err != nil {
			problems = append(problems, err)
		}
		if host == leader {
			continue
		}
		switch current := host.current(); {
		case current.role == unreachable:
			problems = append(problems, current.err)
		case current.role == primary:
			problems = append(problems, fmt.Errorf("%s takes writes, but is not the primary", host.addr))
		case current.lag == unknownLag:
			problems = append(problems, fmt.Errorf("replica %s is behind, it is not known how far", host.addr))
		case current.lag > MaxLag:
			problems = append(problems, fmt.Errorf("replica %s is %s behind", host.addr, current.lag.Round(time.Second)))
		default:
			replicas++
		}
	}
	if replicas > 0 && leader != nil && semiSync(c.semiSync.Load()) == 0 {
		problems = append(problems, errors.New("commits wait for no replica (semi-synchronous replication is off)"))
	}
	if last := c.full.Load(); last != nil && time.Since(last.at) < fullTime {
		problems = append(problems, fmt.Errorf("a server was full: %w", last.err))
	}
	return errors.Join(problems...)
}

// clockApart returns an error if the server's clock is too far from this machine's. One of them was set.
func (h *host) clockApart(difference time.Duration) error {
	switch {
	case difference > clockTolerance:
		return fmt.Errorf("the clock of %s is %s ahead of this machine's", h.addr, difference.Round(time.Second))
	case difference < -clockTolerance:
		return fmt.Errorf("the clock of %s is %s behind this machine's", h.addr, -difference.Round(time.Second))
	}
	return nil
}

// noteClock says once that the clocks are apart, and once that they are no longer.
func (c *Cluster) noteClock(host *host, difference time.Duration) {
	c.metrics.clock.WithLabelValues(host.addr).Set(difference.Seconds())
	apart, before := host.clockApart(difference), host.clockApart(host.current().clock)
	switch {
	case apart != nil && before == nil:
		c.log.Warn("clocks are apart", "host", host.addr, "error", apart)
	case apart == nil && before != nil:
		c.log.Info("clocks agree again", "host", host.addr)
	}
}

// noteFull notes an error if it says that a server is full.
func (c *Cluster) noteFull(host *host, err error) {
	if !isFull(err) {
		return
	}
	c.metrics.full.WithLabelValues(host.addr).Inc()
	err = fmt.Errorf("%s: %w", host.addr, err)
	last := c.full.Swap(&refusal{at: time.Now(), err: err})
	if last == nil || time.Since(last.at) >= fullTime {
		c.log.Error("a server cannot do its work, because a disk is full or memory is short", "host", host.addr, "error", err)
	}
}

// askSemiSync asks the primary whether commits wait for a replica.
func (c *Cluster) askSemiSync(ctx context.Context, leader *host) {
	ctx, cancel := context.WithTimeout(ctx, c.lookTimeout())
	defer cancel()
	if found, err := readSemiSync(ctx, leader.looks); err == nil {
		c.semiSync.Store(int64(found))
	}
}

func readSemiSync(ctx context.Context, db *sql.DB) (found semiSync, err error) {
	rows, err := db.QueryContext(ctx, semiSyncQuery)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found = notOffered
	isOn, clients := false, 0
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return 0, err
		}
		found = 0
		if strings.HasSuffix(name, "_status") {
			isOn = value == "ON"
		} else if clients, err = strconv.Atoi(value); err != nil {
			return 0, err
		}
	}
	if isOn {
		found = semiSync(clients)
	}
	return found, rows.Err()
}
