package mysqlx

import (
	"cmp"
	"database/sql"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"oms.internal/libs/consistency"
)

// host is one server of a cluster.
type host struct {
	addr string
	db   *sql.DB
	// looks is a pool for looks and beats only. They must not queue behind requests, because a queue says nothing about the server.
	looks *sql.DB
	mutex sync.Mutex
	state state
	// sample is the last one. It also bounds V while the server does not answer.
	sample sample
}

// state is the result of the last look at a server.
type state struct {
	role role
	// err is why the role is unreachable.
	err error
	// epoch and applied are the epoch and the beat in this server's heartbeat.
	epoch, applied uint64
	lag            time.Duration
	// follows is whether the server is a replica, or was one when it last answered.
	follows bool
	// clock is how far the server's clock is ahead of this machine's.
	clock time.Duration
}

// shownRole is the role, or "unknown" before the first look.
func (s state) shownRole() role {
	if errors.Is(s.err, errNotLookedAt) {
		return "unknown"
	}
	return s.role
}

type role string

const (
	unreachable role = "unreachable"
	primary     role = "primary"
	replica     role = "replica"
)

// openHost prepares a pool. ioTimeout bounds one read or write on a connection. If it is 0, only the context bounds them, and the server's
// own setting bounds the wait for rows. A host name is resolved for each connection, and no connection lives longer than
// maxLifetime. So a server may come back with another address.
func openHost(config Config, addr string, ioTimeout time.Duration) (*sql.DB, error) {
	encryption, err := tlsConfig(config.TLSCAFile)
	if err != nil {
		return nil, err
	}
	settings := mysql.NewConfig()
	settings.Net, settings.Addr, settings.TLS = "tcp", addr, encryption
	settings.User, settings.Passwd, settings.DBName = config.User, config.Password, config.Database
	// Times are UTC on both ends. NOW() and TIMESTAMP columns depend on the session's time zone.
	settings.ParseTime, settings.Loc = true, time.UTC
	settings.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'TRADITIONAL,NO_ENGINE_SUBSTITUTION'"}
	if ioTimeout > 0 {
		settings.Params["innodb_lock_wait_timeout"] = strconv.Itoa(lockWaitSeconds)
	}
	settings.Collation = "utf8mb4_unicode_520_ci"
	// RowsAffected counts the rows that were found, even if an UPDATE changed nothing in them.
	settings.ClientFoundRows = true
	// A statement takes one round trip instead of three (prepare, execute, close).
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
	connections := cmp.Or(config.Connections, DefaultConnections)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// quiet drops what the driver would print. Every error also comes back as a value, and is logged there, once.
type quiet struct{}

func (quiet) Print(...any) {}

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

// gone returns the state of the server when it does not answer. What it had applied stays known, so that the lag of a replica that is gone
// grows and does not vanish.
func (h *host) gone(err error) state {
	last := h.current()
	return state{role: unreachable, err: err, applied: last.applied, follows: last.follows, clock: last.clock}
}

func (h *host) keep(taken sample) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.sample = taken
}

// bound returns what V of this server cannot exceed now.
func (h *host) bound() consistency.Token {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.sample.bound(time.Now())
}

// raise sets value to next if next is higher.
func raise(value *atomic.Uint64, next uint64) {
	for {
		before := value.Load()
		if next <= before || value.CompareAndSwap(before, next) {
			return
		}
	}
}
