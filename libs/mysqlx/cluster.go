// Package mysqlx is the way to a MySQL or MariaDB primary and its replicas: pools with the settings that correctness
// needs, roles learnt from the servers themselves, transactions that are retried whole, and reads that fall back to the
// primary when a replica is down or behind.
//
// It knows no table but heartbeat, which each schema has for it (one row, id 1, with the column beat).
package mysqlx

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/fault"
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
	// replicaPatience is how long a replica may take before the primary is asked instead.
	replicaPatience = 2 * time.Second
)

// Cluster is the set of servers that hold one schema. Until Run has looked at them it has no primary.
type Cluster struct {
	hosts []*host
	log   *slog.Logger
	beats beats
	turn  atomic.Uint64
}

type host struct {
	addr  string
	db    *sql.DB
	mutex sync.Mutex
	state state
}

type state struct {
	role role
	// err is why the role is unreachable.
	err error
	lag time.Duration
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
	cluster := &Cluster{log: log}
	for _, addr := range config.Hosts {
		db, err := openHost(config, addr, ioTimeout)
		if err != nil {
			return nil, errors.Join(err, cluster.Close())
		}
		cluster.hosts = append(cluster.hosts, &host{addr: addr, db: db, state: state{role: unreachable, err: errNotLookedAt}})
	}
	return cluster, nil
}

// openHost prepares a pool. ioTimeout bounds one read or write on a connection; 0 leaves both to the context.
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
	settings.Collation = "utf8mb4_unicode_520_ci"
	// An UPDATE that changes nothing still found its row.
	settings.ClientFoundRows = true
	// A connection to a demoted primary is given up instead of failing every write.
	settings.RejectReadOnly = true
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
		problems = append(problems, host.db.Close())
	}
	return errors.Join(problems...)
}

// Pools returns the pool of each server under its address, for metrics.
func (c *Cluster) Pools() map[string]*sql.DB {
	pools := map[string]*sql.DB{}
	for _, host := range c.hosts {
		pools[host.addr] = host.db
	}
	return pools
}

// Ready returns nil while there is exactly one primary.
func (c *Cluster) Ready() error {
	_, err := c.primary()
	return err
}

func (c *Cluster) primary() (*host, error) {
	var found *host
	var problems []error
	for _, host := range c.hosts {
		switch current := host.current(); {
		case current.role == primary && found != nil:
			return nil, errors.New("more than one server is writable: " + found.addr + ", " + host.addr)
		case current.role == primary:
			found = host
		case current.role == unreachable:
			problems = append(problems, current.err)
		}
	}
	if found == nil {
		return nil, errors.Join(append(problems, errors.New("no server is writable"))...)
	}
	return found, nil
}

// freshReplica returns the next replica, in turn, that is up and not too far behind, or nil.
func (c *Cluster) freshReplica() *host {
	turn := c.turn.Add(1)
	for i := range uint64(len(c.hosts)) {
		host := c.hosts[(turn+i)%uint64(len(c.hosts))]
		if current := host.current(); current.role == replica && current.lag <= MaxLag {
			return host
		}
	}
	return nil
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

// ReadLatest runs read on the primary, so that it sees every acknowledged write.
func (c *Cluster) ReadLatest(ctx context.Context, read func(context.Context, Reader) error) error {
	host, err := c.primary()
	if err != nil {
		return fault.NewUnavailable(err)
	}
	return asFault(ctx, read(ctx, Reader{host.db}))
}

// ReadRecent runs read on a replica that is at most MaxLag behind, or on the primary where there is none. When a replica
// fails or does not answer, read runs once more on the primary: it must not have effects other than its result.
func (c *Cluster) ReadRecent(ctx context.Context, read func(context.Context, Reader) error) error {
	host := c.freshReplica()
	if host == nil {
		return c.ReadLatest(ctx, read)
	}
	attempt, cancel := context.WithTimeout(ctx, replicaPatience)
	defer cancel()
	err := read(attempt, Reader{host.db})
	if err == nil || ctx.Err() != nil || !connectionFailed(err) {
		return asFault(ctx, err)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		// A read that takes long says nothing about the server; the next look does.
		host.set(state{role: unreachable, err: err})
	}
	c.log.WarnContext(ctx, "replica failed a read; the primary answers instead", "host", host.addr, "error", err)
	return c.ReadLatest(ctx, read)
}

// Reader reads from one server. It satisfies the interface that sqlc generates, but executes nothing.
type Reader struct{ db *sql.DB }

// ExecContext refuses: a statement that writes belongs into Write.
func (r Reader) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, errors.New("mysqlx: a Reader executes no statements")
}

// PrepareContext is sql.DB's.
func (r Reader) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return r.db.PrepareContext(ctx, query)
}

// QueryContext is sql.DB's.
func (r Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(ctx, query, args...)
}

// QueryRowContext is sql.DB's.
func (r Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, query, args...)
}
