// Package mysqlx is the way to a MySQL or MariaDB primary and its replicas. It sets up the connections, learns the roles from the servers
// themselves, retries a transaction as a whole, and sends a read to a replica only if that has everything the caller must see.
//
// Guarantees: a write goes to the one current primary, and its caller learns whether it was written, was not, or may have been. A read is
// never older than what its caller was told or wrote (see clock.go).
//
// mysqlx knows one table only, heartbeat, which each schema has for it: one row, id 1, with the columns beat (see clock.go) and epoch. A
// promotion adds 1 to epoch before the new primary becomes writable. So an old primary that comes back is recognized. mysqlx must not
// import HTTP, NATS or a service.
package mysqlx

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Config says where the servers are and as whom to log in.
type Config struct {
	Hosts    []string // host:port of every server, in any order and any role
	User     string
	Password string
	Database string
	// ServiceUser is for Migrate: the user that serves, to whom a migration may give rights.
	ServiceUser string
	// TLSCAFile is a PEM file of the authorities that sign the servers' certificates; "" means no TLS. With it a server without TLS, or
	// with a certificate that is not for its host, counts as unreachable. Open reads the file.
	TLSCAFile string
	// Patience is how long a primary that only hangs keeps its role; 2 s if 0. A look at a server may take a fifth of it, so a
	// replica that stops answering loses its role after that time and lookInterval.
	Patience time.Duration
	// Connections is how many connections for requests the process has to one server at most; DefaultConnections if 0.
	Connections int
}

// DefaultConnections is that of Config. A statement takes a millisecond, so twenty connections keep all cores of a small server busy.
const DefaultConnections = 20

const (
	dialTimeout = time.Second
	// ioTimeout bounds one read or write on a connection. Most statements end earlier, with their context.
	ioTimeout    = 5 * time.Second
	maxLifetime  = 30 * time.Second
	maxLookConns = 2 // beside those of Config: one for looks, one for beats
	// lockWaitSeconds is how long a statement waits for a row that another transaction holds. The default of 50 s is longer than any
	// request. After a second the transaction is tried again, and then its caller gets an error.
	lockWaitSeconds = 1
	// replicaPatience is how long a replica may take before the primary is asked instead.
	replicaPatience = 2 * time.Second
)

// Cluster is the set of servers that hold one schema. It has no primary until Run has looked at the servers.
type Cluster struct {
	hosts []*host
	log   *slog.Logger
	// patience is that of Config.
	patience time.Duration
	metrics  metrics
	beats    beats
	turn     atomic.Uint64
	slow     slowLane
	rest     *rest
	// written holds a value if something was written since it was taken out.
	written chan struct{}
	// epoch is the highest epoch that any server has shown.
	epoch atomic.Uint64
	// wrote is the highest token of this process's writes.
	wrote atomic.Uint64
	// beatRefused is why the primary refused the last beat, or nil if it did not.
	beatRefused atomic.Pointer[error]
	// stalled is why nothing is written to the primary, although it answers, or nil.
	stalled atomic.Pointer[error]
	// semiSync is the last answer of the primary, and full the last error of a full server.
	semiSync atomic.Int64
	full     atomic.Pointer[refusal]
	// Failures that many requests may meet at the same time.
	conflicts, repeated, failedReads series
}

// errNotLookedAt is why a server counts as unreachable before the first look at it.
var errNotLookedAt = errors.New("not looked at yet")

// Open prepares a pool for each host. It does not connect yet.
func Open(config Config, log *slog.Logger) (*Cluster, error) {
	cluster := &Cluster{log: log, patience: cmp.Or(config.Patience, defaultPatience), metrics: newMetrics(), slow: newSlowLane(), rest: newRest(),
		written: make(chan struct{}, 1)}
	cluster.semiSync.Store(int64(notOffered))
	for _, addr := range config.Hosts {
		db, err := openHost(config, addr, ioTimeout)
		if err != nil {
			return nil, errors.Join(err, cluster.Close())
		}
		looks, err := openHost(config, addr, ioTimeout)
		if err != nil {
			return nil, errors.Join(err, db.Close(), cluster.Close())
		}
		looks.SetMaxOpenConns(maxLookConns)
		cluster.hosts = append(cluster.hosts,
			&host{addr: addr, db: db, looks: looks, state: state{role: unreachable, err: errNotLookedAt}})
		cluster.metrics.full.WithLabelValues(addr)
	}
	return cluster, nil
}

// Close closes all pools.
func (c *Cluster) Close() error {
	var problems []error
	for _, host := range c.hosts {
		problems = append(problems, host.db.Close(), host.looks.Close())
	}
	return errors.Join(problems...)
}

// Pools returns the pool of each server under its address.
func (c *Cluster) Pools() map[string]*sql.DB {
	pools := map[string]*sql.DB{}
	for _, host := range c.hosts {
		pools[host.addr] = host.db
	}
	return pools
}

// Ready returns nil while the cluster is usable and the primary commits heartbeats. Without heartbeats no replica can be used.
func (c *Cluster) Ready() error {
	if _, err := c.writable(); err != nil {
		return err
	}
	if refused := c.beatRefused.Load(); refused != nil {
		return *refused
	}
	return nil
}

// Usable returns nil while there is exactly one primary. A process that has never seen a primary cannot answer reads either, because it
// cannot know how old a replica is.
func (c *Cluster) Usable() error {
	_, err := c.primary()
	return err
}

// Epoch counts promotions. After one, what this process knew of committed rows may be gone: a promotion that is forced loses what the
// replica had not received. A transaction that is committed was in one epoch from its begin to its end.
func (c *Cluster) Epoch() uint64 { return c.epoch.Load() }

// primary returns the server that takes the writes: the writable server of the highest epoch. A server with a lower epoch than any server
// has ever shown was replaced, even if it does not know that yet. Two writable servers of one epoch are an operator's mistake. Then
// there is no primary, because whatever was written to either of them could be lost.
func (c *Cluster) primary() (*host, error) {
	highest := c.epoch.Load()
	var found *host
	var problems []error
	for _, host := range c.hosts {
		switch current := host.current(); {
		case errors.Is(current.err, errNotLookedAt):
			// This server may have replaced all others.
			return nil, fmt.Errorf("%s: %w", host.addr, errNotLookedAt)
		case current.role == unreachable:
			problems = append(problems, current.err)
		case current.role == replica:
		case current.epoch < highest:
			problems = append(problems, fmt.Errorf("%s is writable, but was replaced: its epoch is %d, and another server has shown %d",
				host.addr, current.epoch, highest))
		case found != nil:
			return nil, fmt.Errorf("more than one server is writable in epoch %d: %s, %s", highest, found.addr, host.addr)
		default:
			found = host
		}
	}
	if found == nil {
		return nil, errors.Join(append(problems, errors.New("no server is writable"))...)
	}
	return found, nil
}
