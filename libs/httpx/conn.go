package httpx

import (
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// A client that is refused while it is still sending must be able to read why. A connection that is closed with unread
// bytes is reset, and the client may lose the answer (RFC 9112, section 9.6). So the server ends its own side, reads on for
// a while, and closes then.
const (
	lingerTime  = 5 * time.Second
	lingerBytes = 64 << 20
	lingerStep  = 4 << 10 // bytes read at once
)

// strictListener accepts connections that watch what arrives (incoming), and that let a refused client read its answer.
type strictListener struct{ net.Listener }

// Accept returns a connection that the rest of this package finds with connOf.
func (l strictListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	strict := &strictConn{Conn: accepted, refusal: refusalOf(accepted)}
	if encrypted, ok := accepted.(*tlsConn); ok {
		return strictTLSConn{strict, encrypted}, nil
	}
	return strict, nil
}

type strictConn struct {
	net.Conn
	incoming  incoming
	arrival   arrival
	refusal   error // what every request here is answered with; nil on a connection that is served
	headIsCut bool  // whether the head of the request was too large to be read to its end
	lingers   bool  // whether the client may still be sending when the connection is closed
}

// Read fails once something arrives that must not be taken for a request, and when there is no room for more.
func (c *strictConn) Read(buffer []byte) (int, error) {
	if c.incoming.count == 0 {
		c.arrival.keep(0) // the request before was answered
	}
	if err := c.arrival.await(c.incoming.count + len(buffer)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(buffer)
	if err := c.arrival.came(); err != nil {
		return 0, err
	}
	if refused := c.incoming.check(buffer[:n]); refused != nil {
		return 0, refused
	}
	return n, err
}

// Close lets a client that was refused read its answer first.
func (c *strictConn) Close() error {
	c.arrival.leave()
	if c.lingers {
		endWriting(c.Conn)
		c.readOn(func() bool { return false })
	}
	return c.Conn.Close()
}

// readOn reads and forgets what the client still sends, until enough has come, it ends, or the time is over.
func (c *strictConn) readOn(enough func() bool) {
	if c.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	buffer := make([]byte, lingerStep)
	for read := 0; read < lingerBytes && !enough(); {
		n, err := c.Conn.Read(buffer)
		c.incoming.head.scan(buffer[:n])
		if read += n; err != nil {
			return
		}
	}
}

func (c *strictConn) strict() *strictConn { return c }

// connOf returns the connection of a request, and one without anything on it where the request has come in another way, as
// in a test without a network.
func connOf(request *fasthttp.RequestCtx) *strictConn {
	if conn, ok := request.Conn().(interface{ strict() *strictConn }); ok {
		return conn.strict()
	}
	return &strictConn{Conn: request.Conn()}
}

// inner returns the connection that another one is made of, or nil.
func inner(conn net.Conn) net.Conn {
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return outer.NetConn()
	}
	return nil
}

// endWriting tells the client that nothing more will come. Connections that wrap others must have NetConn, as those of TLS.
func endWriting(conn net.Conn) {
	for ; conn != nil; conn = inner(conn) {
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
			return
		}
	}
}

// refusalTime is how long a connection made by Refuse may take in all.
const refusalTime = 5 * time.Second

// Refuse returns a connection on which the server reads one request, answers it with failure, and closes, all within 5 s.
// It is for connections beyond a limit: their clients get an answer like any other, with all of its headers.
func Refuse(conn net.Conn, failure error) net.Conn {
	return &refusedConn{conn, failure, time.Now().Add(refusalTime)}
}

type refusedConn struct {
	net.Conn
	failure error
	latest  time.Time
}

// SetReadDeadline never sets one that is later than refusalTime allows.
func (c *refusedConn) SetReadDeadline(deadline time.Time) error {
	if deadline.IsZero() || deadline.After(c.latest) {
		deadline = c.latest
	}
	return c.Conn.SetReadDeadline(deadline)
}

// NetConn returns the connection that is refused.
func (c *refusedConn) NetConn() net.Conn { return c.Conn }

// refuseConnection refuses whatever is asked on a connection that Refuse has made.
func refuseConnection(c *fiber.Ctx) error {
	refusal := connOf(c.Context()).refusal
	if refusal != nil {
		c.Context().SetConnectionClose()
	}
	return refusal
}

func refusalOf(conn net.Conn) error {
	for ; conn != nil; conn = inner(conn) {
		if refused, ok := conn.(*refusedConn); ok {
			return refused.failure
		}
	}
	return nil
}
