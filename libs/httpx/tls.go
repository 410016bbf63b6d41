package httpx

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
)

// Encrypted returns a listener that speaks TLS on the connections of another one. crypto/tls takes the memory for a record as soon as a
// client announces it, and keeps it until the connection ends. Messages of TLS itself take up to 256 KiB more, before, in and after
// the handshake. All of that comes from the share of the client's network, as what arrives of requests does (body.go).
func Encrypted(listener net.Listener, config *tls.Config) net.Listener {
	return tlsListener{listener, config}
}

type tlsListener struct {
	net.Listener

	config *tls.Config
}

// Accept returns a connection whose handshake has not begun.
func (l tlsListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	below := &belowTLS{Conn: accepted}
	return &tlsConn{tls.Server(below, l.config), below}, nil
}

// tlsConn is a connection of TLS that says when TLS has passed on what it has read.
type tlsConn struct {
	*tls.Conn

	below *belowTLS
}

// Handshake makes the handshake, if it was not made.
func (c *tlsConn) Handshake() error {
	err := c.HandshakeContext(context.Background()) // it ends at the deadline of the connection
	if err == nil {
		c.below.passedOn()
	}
	return err
}

// Read reads what the client has encrypted. No message of TLS is half read then, since it may not be mixed with others.
func (c *tlsConn) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	if n > 0 {
		c.below.passedOn()
	}
	return n, err
}

// recordHeader is the length of what stands before each record: its kind, its version, and its length in two bytes.
const recordHeader = 5

// belowTLS is the connection on which TLS reads records. It holds what these take of the share of the client's network, and takes that
// before TLS sees that a record begins.
type belowTLS struct {
	net.Conn

	arrival arrival
	header  [recordHeader]byte // of the record that begins
	known   int                // bytes of header that have come
	rest    int                // bytes of the record that have not come
	longest int                // bytes of the longest record
	pending int                // bytes that were read and not passed on, such as those of half a message
}

// Read fails when there is no room for the records that begin in what it has read, or for what TLS keeps.
func (c *belowTLS) Read(into []byte) (int, error) {
	if err := c.arrival.await(c.pending + c.kept()); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(into)
	if err := c.arrival.came(); err != nil {
		return 0, err
	}
	c.follow(into[:n])
	c.pending += n
	if err := c.arrival.take(c.pending + c.kept()); err != nil {
		return 0, err
	}
	return n, err
}

// follow notes the lengths of the records in what was read.
func (c *belowTLS) follow(read []byte) {
	for len(read) > 0 {
		if c.rest > 0 {
			passed := min(c.rest, len(read))
			c.rest, read = c.rest-passed, read[passed:]
			continue
		}
		copied := copy(c.header[c.known:], read)
		c.known, read = c.known+copied, read[copied:]
		if c.known == recordHeader {
			c.known, c.rest = 0, int(binary.BigEndian.Uint16(c.header[recordHeader-2:]))
			c.longest = max(c.longest, c.rest)
		}
	}
}

// kept is what TLS keeps for records until the connection ends. Small ones take no share: a connection takes more memory than that anyway.
func (c *belowTLS) kept() int {
	if c.longest > smallBody {
		return c.longest
	}
	return 0
}

func (c *belowTLS) passedOn() {
	c.pending = 0
	c.arrival.keep(c.kept())
}

// Close gives all back.
func (c *belowTLS) Close() error {
	c.arrival.leave()
	return c.Conn.Close()
}

// NetConn returns the connection below.
func (c *belowTLS) NetConn() net.Conn { return c.Conn }

// strictTLSConn has the methods by which fasthttp recognises TLS.
type strictTLSConn struct {
	*strictConn
	encrypted *tlsConn
}

// Handshake is that of the connection below.
func (c strictTLSConn) Handshake() error { return c.encrypted.Handshake() }

// ConnectionState is that of the connection below.
func (c strictTLSConn) ConnectionState() tls.ConnectionState { return c.encrypted.ConnectionState() }
