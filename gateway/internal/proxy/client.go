package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	dialTimeout = time.Second // for a handshake of TLS, too
	// connections to one instance. Further requests wait for a free one until their deadline. This bounds the memory that a
	// hanging service costs.
	connections = 128
	// idleTimeout is shorter than the 75 s after which a service closes an idle connection (httpx), so that this side
	// is the one that closes, and no request meets a connection that is being closed.
	idleTimeout    = 30 * time.Second
	connBufferSize = 4 << 10 // bytes, each direction of each connection
)

// client is the gateway's side of the connections to one instance. fasthttp's HostClient dials, keeps and closes them. What it does
// with requests is not used, because it sends one up to five times; client sends a request again on one condition only (see ask).
type client struct {
	connections *fasthttp.HostClient
	host        string
}

func newClient(base *url.URL) *client {
	secure := base.Scheme == "https"
	serverName := ""
	if secure {
		serverName = base.Hostname()
	}
	return &client{
		host: base.Host,
		connections: &fasthttp.HostClient{
			Addr: fasthttp.AddMissingPort(base.Host, secure),
			// left is the time of the request that waits for the connection, or 0 if that may be any.
			DialTimeout: func(address string, left time.Duration) (net.Conn, error) {
				return dial(address, serverName, min(dialTimeout, cmp.Or(left, dialTimeout)))
			},
			MaxConns: connections,
			// The connection that was used last is used next. In turns, light traffic would keep all those that a burst has opened.
			ConnPoolStrategy:    fasthttp.LIFO,
			MaxConnWaitTimeout:  time.Hour, // the deadline of a request is earlier
			MaxIdleConnDuration: idleTimeout,
			ReadBufferSize:      connBufferSize,
			WriteBufferSize:     connBufferSize,
		},
	}
}

// ask sends a request and returns the head of its answer.
//
// A request is sent once. Only if it reads, and meets a connection that was used before and breaks before anything of the answer
// has come, is it sent again, on another one: the instance may just have closed it. An error says how far the request came:
// connectError, a timeout or brokenError.
func (c *client) ask(request *fasthttp.Request, deadline time.Time) (*Answer, error) {
	request.Header.SetHost(c.host)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return nil, context.DeadlineExceeded
		}
		conn, err := c.connections.AcquireConn(left, false)
		if err != nil {
			if isTimeout(err) && !time.Now().Before(deadline) {
				// This says little about the instance: there was little time left, or all connections were in use.
				return nil, fmt.Errorf("no connection in time, of %d at most: %w", connections, err)
			}
			return nil, connectError{err}
		}
		used := !conn.LastUseTime().IsZero()
		if used && isClosed(conn.Conn()) {
			c.connections.CloseConn(conn)
			continue
		}
		answer := newAnswer(conn.Conn(), c.connections.AcquireReader(conn.Conn()))
		answer.release = func(reuse bool) {
			c.connections.ReleaseReader(answer.reader)
			if reuse {
				c.connections.ReleaseConn(conn)
			} else {
				c.connections.CloseConn(conn)
			}
		}
		if err = c.exchange(request, answer, deadline); err == nil {
			return answer, nil
		}
		answer.Close()
		if !used || writes(string(request.Header.Method())) || isTimeout(err) || !errors.Is(err, errNoAnswer) {
			return nil, brokenError{err}
		}
	}
}

// exchange writes the request and reads the head of its answer. An instance may answer, and close, before it has read all of a
// request, so there may be an answer where writing has failed.
func (c *client) exchange(request *fasthttp.Request, answer *Answer, deadline time.Time) error {
	if err := answer.conn.SetDeadline(deadline); err != nil {
		return err
	}
	writer := c.connections.AcquireWriter(answer.conn)
	defer c.connections.ReleaseWriter(writer)
	unsent := request.Write(writer)
	if unsent == nil {
		unsent = writer.Flush()
	}
	if err := answer.readHead(request.Header.IsHead()); err != nil {
		return errors.Join(unsent, err)
	}
	if unsent != nil {
		answer.SetConnectionClose()
	}
	return nil
}

// connection is one of TCP that can be asked whether its other side has closed it.
type connection struct {
	*net.TCPConn
	raw syscall.RawConn
}

// dial connects to an address, over TLS if the server has a name.
func dial(address, serverName string, within time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	dialed, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn, ok := dialed.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no connection of TCP", dialed), dialed.Close())
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	plain := &connection{TCPConn: conn, raw: raw}
	if serverName == "" {
		return plain, nil
	}
	secured := tls.Client(plain, &tls.Config{ServerName: serverName, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return secured, nil
}

// isClosed reports whether a connection at rest can bear no more requests: its other side has closed it, or has sent what nobody
// asked for. It costs one system call, and does not wait.
func isClosed(conn net.Conn) bool {
	var next [1]byte
	if secured, ok := conn.(*tls.Conn); ok {
		// TLS takes whole records from the kernel, so it may hold more than was read. It does not wait for others after its deadline.
		if err := secured.SetReadDeadline(time.Unix(1, 0)); err != nil {
			return true
		}
		if _, err := secured.Read(next[:]); err == nil || !isTimeout(err) {
			return true
		}
		conn = secured.NetConn()
	}
	plain, ok := conn.(*connection)
	if !ok {
		return true
	}
	alive := false
	// raw.Read would fail once the deadline of the request before has passed.
	err := plain.raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = errors.Is(err, syscall.EAGAIN)
	})
	return err != nil || !alive
}
