package limit

import (
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/httpx"
)

// maxRefused is how many connections are refused with an answer at the same time, beside those that are served. Each may
// take as much memory as one that is served.
const maxRefused = 64

// ConnectionOptions say how many connections to serve.
type ConnectionOptions struct {
	Total int
	// PerAddress is how many one forwarded.Network may have, however many are free; 0 for its share.
	PerAddress int
	// Trusted proxies stand for many clients and are bound by Total only.
	Trusted forwarded.Proxies
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Listener accepts no more connections than it may, and shares them among networks. When a network has its share, or all are
// taken, the connection that has been idle for longest makes room: one on which the client is waited for, be it between two
// requests, in a handshake or in the middle of a request. Of the connections for which there is no room, the server refuses
// some with an answer (429, 503); the rest are closed.
type Listener struct {
	net.Listener
	options ConnectionOptions
	places  *fairshare.Places[httpx.Client]

	mu      sync.Mutex
	refused int
}

// Connections returns a listener over another one, so that no client can take all connections to it.
func Connections(listener net.Listener, options ConnectionOptions) *Listener {
	places := fairshare.NewPlaces(fairshare.PlacesOptions[httpx.Client]{
		Resource: "connections", Capacity: options.Total, PerClient: options.PerAddress,
		Many: func(c httpx.Client) bool { return c.Many }, Now: options.Now,
	})
	options.Metrics.MustRegister(places.Collectors()...)
	return &Listener{Listener: listener, options: options, places: places}
}

// Accept returns the next connection that is to be served or refused.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		served := &conn{Conn: accepted, now: l.options.Now}
		err = l.enter(served)
		if err == nil {
			return served, nil
		}
		if l.enterRefused() {
			return httpx.Refuse(&conn{Conn: accepted, now: l.options.Now, leave: l.leaveRefused}, err), nil
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

func (l *Listener) enter(served *conn) error {
	from := l.options.Trusted.Client(served.RemoteAddr())
	served.leave = func() { l.places.Keep(from, served, 0) }
	return l.places.Take(from, served, 1)
}

// conn gives its place back once, however often it is closed.
type conn struct {
	net.Conn
	fairshare.Stall

	now   func() time.Time
	once  sync.Once
	leave func()
}

// Read notes that the client is waited for.
func (c *conn) Read(into []byte) (int, error) {
	c.Begin(c.now())
	defer c.End()
	return c.Conn.Read(into)
}

// Yield closes the connection, whose place is another's now.
func (c *conn) Yield() { _ = c.Conn.Close() }

// Close closes the connection and gives its place back.
func (c *conn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}

// NetConn returns the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }
