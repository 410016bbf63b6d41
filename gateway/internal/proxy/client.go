package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	dialTimeout = time.Second
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
	dialer := &net.Dialer{Timeout: dialTimeout}
	tls := base.Scheme == "https"
	return &client{
		host: base.Host,
		connections: &fasthttp.HostClient{
			Addr:  fasthttp.AddMissingPort(base.Host, tls),
			IsTLS: tls,
			Dial: func(address string) (net.Conn, error) {
				return dial(dialer, address)
			},
			WriteTimeout:        dialTimeout, // of a handshake of TLS
			MaxConns:            connections,
			MaxConnWaitTimeout:  time.Hour, // the deadline of a request is earlier
			MaxIdleConnDuration: idleTimeout,
			ReadBufferSize:      connBufferSize,
			WriteBufferSize:     connBufferSize,
		},
	}
}

// ask sends a request and returns the head of its answer.
//
// A request is sent once. Only if it reads, and meets a connection that was used before and breaks, is it sent again, on another
// one: the instance may just have closed it. An error says how far the request came: connectError, a timeout or brokenError.
func (c *client) ask(request *fasthttp.Request, deadline time.Time) (*Answer, error) {
	request.Header.SetHost(c.host)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return nil, context.DeadlineExceeded
		}
		conn, err := c.connections.AcquireConn(left, false)
		if err != nil {
			if errors.Is(err, fasthttp.ErrTimeout) {
				return nil, fmt.Errorf("wait for one of %d connections: %w", connections, err)
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
		if !used || writes(string(request.Header.Method())) || isTimeout(err) {
			return nil, brokenError{err}
		}
	}
}

// exchange writes the request and reads the head of its answer.
func (c *client) exchange(request *fasthttp.Request, answer *Answer, deadline time.Time) error {
	if err := answer.conn.SetDeadline(deadline); err != nil {
		return err
	}
	writer := c.connections.AcquireWriter(answer.conn)
	defer c.connections.ReleaseWriter(writer)
	if err := request.Write(writer); err != nil {
		return err
	}
	if err := writer.Flush(); err != nil {
		return err
	}
	return answer.readHead(request.Header.IsHead())
}

// connection is one of TCP that can be asked whether its other side has closed it.
type connection struct {
	*net.TCPConn
	raw syscall.RawConn
}

func dial(dialer *net.Dialer, address string) (net.Conn, error) {
	dialed, err := dialer.Dial("tcp", address)
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
	return &connection{TCPConn: conn, raw: raw}, nil
}

// isClosed reports whether a connection at rest can bear no more requests: its other side has closed it, or has sent what nobody
// asked for. It costs one system call, and does not wait.
func isClosed(conn net.Conn) bool {
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secured.NetConn()
	}
	plain, ok := conn.(*connection)
	if !ok {
		return true
	}
	alive := false
	err := plain.raw.Read(func(fd uintptr) bool {
		var next [1]byte
		_, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err != nil || !alive
}
