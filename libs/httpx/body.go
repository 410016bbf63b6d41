package httpx

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// fasthttp takes the memory for a head before it reads one, and that for a body as soon as a client announces it. Clients that
// announce much and never send it would take all memory. So each connection takes the bytes for what it waits for from its
// client's share before it reads on, and holds those of a large body until the request is answered. A client that has sent
// nothing for a second makes room for others (fairshare.Places).
const (
	arrivingBytes = 8 << 20
	// smallBody, in bytes, is not held while the request is answered: a connection takes more memory than that anyway.
	smallBody = 4 << 10
	// shortestRequest is less than any request line and its end take.
	shortestRequest = 16
)

var (
	errNoRoom   = errors.New("there is no room for the request")
	errMadeRoom = errors.New("the client sent nothing for a while, and others needed the room")
)

// Client is who is at the other end of a connection.
type Client struct {
	Network netip.Addr
	// Many says that it passes on what many clients send, and has no share.
	Many bool
}

// newArriving returns what requests that arrive share.
func newArriving(now func() time.Time) *fairshare.Places[Client] {
	return fairshare.NewPlaces(fairshare.PlacesOptions[Client]{
		Resource: "arriving", Capacity: arrivingBytes, Many: func(c Client) bool { return c.Many }, Now: now,
	})
}

// arrival is what a connection holds for the request that arrives on it. The zero value holds nothing, and is refused nothing.
type arrival struct {
	fairshare.Stall

	places  *fairshare.Places[Client]
	client  Client
	conn    net.Conn
	now     func() time.Time
	held    int
	yielded atomic.Bool
	refusal error // the fault with which the request is answered that has no room
}

// take takes what is missing of so many bytes.
func (a *arrival) take(bytes int) error {
	missing := bytes - a.held
	if a.places == nil || missing <= 0 {
		return nil
	}
	if a.refusal = a.places.Take(a.client, a, missing); a.refusal != nil {
		return errNoRoom
	}
	a.held = bytes
	return nil
}

// await takes the bytes of a request up to the end of what is read next, and notes that the client is waited for. The first byte of
// a request takes nothing, because each connection waits for one.
func (a *arrival) await(bytes int) error {
	if a.places == nil || bytes <= 1 {
		return nil
	}
	if err := a.take(bytes); err != nil {
		return err
	}
	a.Begin(a.now())
	return nil
}

// came notes that the client has sent something, and fails if it had to make room before.
func (a *arrival) came() error {
	a.End()
	if !a.yielded.Load() {
		return nil
	}
	a.refusal = fault.NewUnavailable(errMadeRoom)
	return errNoRoom
}

// arrived gives back what the request does not hold while it is answered. What the client has sent behind it stays in memory.
func (a *arrival) arrived(request *fasthttp.Request, read int) {
	keep, body := 0, len(request.Body())
	if body > smallBody {
		keep = body
	}
	header := &request.Header
	if read-len(header.Method())-len(header.RequestURI())-len(header.RawHeaders())-body > 2*shortestRequest {
		keep += headerLimit
	}
	a.keep(keep)
}

// keep gives back what is held beyond so many bytes.
func (a *arrival) keep(bytes int) {
	if a.held > bytes {
		a.places.Keep(a.client, a, bytes)
		a.held = bytes
	}
}

// leave gives back all, since the connection is closed. Unlike the other methods, it may be called from any goroutine.
func (a *arrival) leave() {
	if a.places != nil {
		a.places.Keep(a.client, a, 0)
	}
}

// Yield ends the wait for the client.
func (a *arrival) Yield() {
	a.yielded.Store(true)
	_ = a.conn.SetReadDeadline(time.Unix(1, 0))
}
