package limit

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// maxRefused is how many connections are refused with an answer at the same time, beside those that are served. Each may
// take as much memory as one that is served.
const maxRefused = 64

// ConnectionOptions say how many connections to serve.
type ConnectionOptions struct {
	Total int
	// PerAddress is how many one forwarded.Network may have; 0 for any number.
	PerAddress int
	// Trusted proxies stand for many clients and are bound by Total only.
	Trusted forwarded.Proxies
}

// Listener accepts no more connections than it may. Of those beyond, the server refuses some with an answer (429); the rest
// are closed.
type Listener struct {
	net.Listener
	options ConnectionOptions

	mu       sync.Mutex
	total    int
	refused  int
	networks map[netip.Addr]int
}

// Connections returns a listener over another one, so that no client can take all connections to it.
func Connections(listener net.Listener, options ConnectionOptions) *Listener {
	return &Listener{Listener: listener, options: options, networks: map[netip.Addr]int{}}
}

// Accept returns the next connection that is to be served or refused.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		remote := forwarded.Remote(accepted.RemoteAddr())
		if l.enter(remote) {
			return &conn{Conn: accepted, leave: func() { l.leave(remote) }}, nil
		}
		if l.enterRefused() {
			failure := fault.New(fault.TooManyRequests, "There are too many connections.", nil)
			failure.RetryAfter = time.Second
			return httpx.Refuse(&conn{Conn: accepted, leave: l.leaveRefused}, failure), nil
		}
		_ = accepted.Close()
	}
}

func (l *Listener) enterRefused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused >= maxRefused {
		return false
	}
	l.refused++
	return true
}

func (l *Listener) leaveRefused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused--
}

func (l *Listener) enter(address netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	network := forwarded.Network(address)
	bounded := l.options.PerAddress > 0 && !l.options.Trusted.Trusts(address)
	if l.total >= l.options.Total || bounded && l.networks[network] >= l.options.PerAddress {
		return false
	}
	l.total++
	l.networks[network]++
	return true
}

func (l *Listener) leave(address netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	network := forwarded.Network(address)
	if l.networks[network]--; l.networks[network] == 0 {
		delete(l.networks, network)
	}
}

// conn gives its place back once, however often it is closed.
type conn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// Close closes the connection and gives its place back.
func (c *conn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}

// NetConn returns the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }
