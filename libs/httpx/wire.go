package httpx

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// strictListener refuses what fasthttp takes and does not show: a request line that ends with LF alone (what follows it
// belongs to the same line for a server that wants CR LF), and chunks whose extensions never end.
type strictListener struct{ net.Listener }

// Accept returns a connection on which both are errors.
func (l strictListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if encrypted, ok := conn.(*tls.Conn); ok {
		return &strictTLSConn{Conn: encrypted}, nil
	}
	return &strictConn{Conn: conn}, nil
}

type strictConn struct {
	net.Conn
	incoming incoming
	unread   bool
}

// Read fails once what comes in is not to be taken.
func (c *strictConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	return c.incoming.check(buffer, n, err)
}

// Write begins the answer, and so the count of the next request.
func (c *strictConn) Write(buffer []byte) (int, error) {
	c.incoming.count = 0
	return c.Conn.Write(buffer)
}

// Close waits for the client to end first if it has been answered before its request was read.
func (c *strictConn) Close() error {
	drain(c.Conn, c.unread)
	return c.Conn.Close()
}

func (c *strictConn) leaveUnread() { c.unread = true }

// strictTLSConn is a type of its own because fasthttp recognises TLS by the methods of the connection.
type strictTLSConn struct {
	*tls.Conn
	incoming incoming
	unread   bool
}

// Read fails once what comes in is not to be taken.
func (c *strictTLSConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	return c.incoming.check(buffer, n, err)
}

// Write begins the answer, and so the count of the next request.
func (c *strictTLSConn) Write(buffer []byte) (int, error) {
	c.incoming.count = 0
	return c.Conn.Write(buffer)
}

// Close waits for the client to end first if it has been answered before its request was read.
func (c *strictTLSConn) Close() error {
	drain(c.Conn, c.unread)
	return c.Conn.Close()
}

func (c *strictTLSConn) leaveUnread() { c.unread = true }

const (
	drainTime  = time.Second
	drainBytes = 2 << 20
)

// drain reads what a client still sends. A connection closed with bytes unread is reset (RFC 9112, section 9.6), and the
// client may lose the answer that says why.
func drain(conn net.Conn, unread bool) {
	if !unread || conn.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, conn, drainBytes)
}

var (
	errBareLF  = errors.New("a request line ends without CR LF")
	errEndless = errors.New("the request does not end")
)

const (
	// versionLength is that of "HTTP/1.1".
	versionLength = 8
	// maxRequest is more than the largest request that is served can take: its headers, and its body in chunks of one
	// byte, six bytes each.
	maxRequest = headerLimit + 6*BodyLimit + headerLimit
)

// incoming watches the bytes from a client. It looks for an HTTP version before a bare LF, in bodies too, since where
// they end is not known here: no JSON has these bytes in this order, for a line cannot end within a text, nor a version
// stand outside of one.
type incoming struct {
	tail  [versionLength]byte // the last bytes of what was read before
	count int                 // bytes read since the last answer
}

func (w *incoming) check(buffer []byte, n int, err error) (int, error) {
	if w.count += n; w.count > maxRequest {
		return 0, errEndless
	}
	read := buffer[:n]
	for i := 0; i < n; i++ {
		next := bytes.IndexByte(read[i:], '\n')
		if next < 0 {
			break
		}
		i += next
		if isVersion(w.before(read, i)) {
			return 0, errBareLF
		}
	}
	w.tail = w.before(read, n)
	return n, err
}

// before returns the bytes that precede position i.
func (w *incoming) before(read []byte, i int) (last [versionLength]byte) {
	if i >= versionLength {
		copy(last[:], read[i-versionLength:i])
		return last
	}
	kept := copy(last[:], w.tail[i:])
	copy(last[kept:], read[:i])
	return last
}

func isVersion(text [versionLength]byte) bool {
	return string(text[:5]) == "HTTP/" && text[6] == '.'
}
