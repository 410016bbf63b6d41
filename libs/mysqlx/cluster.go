// Package mysqlx is the way to a MySQL or MariaDB primary and its replicas: pools with the settings that correctness
// needs, roles learnt from the servers themselves, transactions that are retried whole, and reads that fall back to the
// primary when a replica is down or behind.
//
// It knows no table but heartbeat, which each schema has for it: one row, id 1, with the columns beat (see clock.go) and
// epoch. A promotion adds 1 to epoch before the new primary becomes writable, so that a primary which was replaced and
// comes back is known for what it is.
package mysqlx

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/consistency"
)

// Config says where the servers are and as whom to log in.
type Config struct {
	Hosts    []string // host:port of every server, in any order and any role
	User     string
	Password string
	Database string
	// TLSCAFile is a PEM file of the authorities that sign the servers' certificates. With it every connection is
	// encrypted, or refused: a server without TLS, or with a certificate that is not for its host, is unreachable. It is
	// read at the start. "" is without TLS.
	TLSCAFile string
}

const (
	dialTimeout = time.Second
	// ioTimeout bounds one read or write on a connection; statements end earlier by their context.
	ioTimeout    = 5 * time.Second
	maxLifetime  = 30 * time.Second
	maxOpenConns = 20 // each server and process
	maxLookConns = 2  // beside those: one look, one beat
	// lockWaitSeconds is how long a statement waits for a row that another transaction holds. The default of 50 s is
	// longer than any request; what waits for a second is better tried again, or told that another is at it.
	lockWaitSeconds = 1
	// replicaPatience is how long a replica may take before the primary is asked instead.
	replicaPatience = 2 * time.Second
)

// Cluster is the set of servers that hold one schema. Until Run has looked at them it has no primary.
type Cluster struct {
	hosts   []*host
	log     *slog.Logger
	metrics metrics
	beats   beats
	turn    atomic.Uint64
	slow    slowLane
	// epoch is the highest that any server has shown.
	epoch atomic.Uint64
	// wrote is the highest token of this process's writes.
	wrote atomic.Uint64
	// unbeaten is why the primary refused the last beat, nil where it did not.
	unbeaten atomic.Pointer[error]
}

type host struct {
	addr string
	db   *sql.DB
	// looks has connections for looks and beats alone: how long requests queue for theirs says nothing about the server.
	looks *sql.DB
	mutex sync.Mutex
	state state
	// sample is the last one, which bounds V also while the server does not answer.
	sample sample
}

// state is what the last look at a server found.
type state struct {
	role role
	// err is why the role is unreachable.
	err error
	// epoch and applied are the row of heartbeat as this server has it.
	epoch, applied uint64
	lag            time.Duration
}

type role string

const (
	unreachable role = "unreachable"
	primary     role = "primary"
	replica     role = "replica"
)

// errNotLookedAt is why a server is unreachable before it has been asked for the first time.
var errNotLookedAt = errors.New("not looked at yet")

// Open prepares a pool for each host. It connects to none.
func Open(config Config, log *slog.Logger) (*Cluster, error) {
	cluster := &Cluster{log: log, metrics: newMetrics(), slow: newSlowLane()}
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
	}
	return cluster, nil
}

// openHost prepares a pool. ioTimeout bounds one read or write on a connection; 0 leaves both to the context, and waits
// for rows to the server. An address that is a name is resolved at each connection, of which none lives longer than
// maxLifetime, so that a server may come back elsewhere.
func openHost(config Config, addr string, ioTimeout time.Duration) (*sql.DB, error) {
	encryption, err := tlsConfig(config.TLSCAFile)
	if err != nil {
		return nil, err
	}
	settings := mysql.NewConfig()
	settings.Net, settings.Addr, settings.TLS = "tcp", addr, encryption
	settings.User, settings.Passwd, settings.DBName = config.User, config.Password, config.Database
	// Times are UTC on both ends; the session's time zone matters to NOW() and to TIMESTAMP columns.
	settings.ParseTime, settings.Loc = true, time.UTC
	settings.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'TRADITIONAL,NO_ENGINE_SUBSTITUTION'"}
	if ioTimeout > 0 {
		settings.Params["innodb_lock_wait_timeout"] = strconv.Itoa(lockWaitSeconds)
	}
	settings.Collation = "utf8mb4_unicode_520_ci"
	// An UPDATE that changes nothing still found its row.
	settings.ClientFoundRows = true
	// One round trip a statement instead of three (prepare, execute, close).
	settings.InterpolateParams = true
	settings.MultiStatements = false
	settings.Timeout, settings.ReadTimeout, settings.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
	settings.Logger = quiet{}
	connector, err := mysql.NewConnector(settings)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetConnMaxLifetime(maxLifetime)
	db.SetMaxOpenConns(maxOpenConns)
	db.SetMaxIdleConns(maxOpenConns)
	return db, nil
}

// quiet drops what the driver prints by itself; every error also comes back as a value and is logged once, there.
type quiet struct{}

func (quiet) Print(...any) {}

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

// Ready returns nil while the cluster is usable and the primary takes heartbeats: without them no replica is of use.
func (c *Cluster) Ready() error {
	if err := c.Usable(); err != nil {
		return err
	}
	if refused := c.unbeaten.Load(); refused != nil {
		return *refused
	}
	return nil
}

// Usable returns nil while there is exactly one primary. A process that never saw one can answer no read either, since it
// cannot know how old a replica is.
func (c *Cluster) Usable() error {
	_, err := c.primary()
	return err
}

// primary returns the server that takes the writes: the writable one of the highest epoch. A server of a lower epoch than
// the highest that any server ever showed was replaced, even if it does not know yet. Two of the same epoch are a
// mistake of their operator, and whatever was written to either could be lost.
func (c *Cluster) primary() (*host, error) {
	highest := c.epoch.Load()
	var found *host
	var problems []error
	for _, host := range c.hosts {
		switch current := host.current(); {
		case errors.Is(current.err, errNotLookedAt):
			// It may be the one that replaced all others.
			return nil, fmt.Errorf("%s: %w", host.addr, errNotLookedAt)
		case current.role == unreachable:
			problems = append(problems, current.err)
		case current.role == replica:
		case current.epoch < highest:
			problems = append(problems, fmt.Errorf("%s is writable and was replaced: its epoch is %d, and %d has been seen",
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

func (h *host) current() state {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.state
}

func (h *host) set(next state) (previous state) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	previous, h.state = h.state, next
	return previous
}

func (h *host) keep(taken sample) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.sample = taken
}

// bound is what V of this server cannot exceed now.
func (h *host) bound() consistency.Token {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.sample.bound(time.Now())
}

// raise sets value to next where that is more.
func raise(value *atomic.Uint64, next uint64) {
	for {
		before := value.Load()
		if next <= before || value.CompareAndSwap(before, next) {
			return
		}
	}
}
