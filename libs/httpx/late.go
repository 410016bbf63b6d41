package httpx

import (
	"net"
	"sync"
)

// lateListener listens from its first Accept on.
type lateListener struct {
	port *Port

	opening sync.Mutex
	opened  net.Listener
	closed  bool
}

// Accept may be called by one goroutine only, as servers do.
func (l *lateListener) Accept() (net.Conn, error) {
	listener, err := l.open()
	if err != nil {
		return nil, err
	}
	return listener.Accept()
}

func (l *lateListener) open() (_ net.Listener, err error) {
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	if l.opened == nil {
		l.opened, err = l.port.Listen()
	}
	return l.opened, err
}

// Close ends listening, or keeps it from beginning.
func (l *lateListener) Close() error {
	l.opening.Lock()
	defer l.opening.Unlock()
	l.closed = true
	if l.opened == nil {
		return l.port.Close()
	}
	return l.opened.Close()
}

// Addr returns the address of the port.
func (l *lateListener) Addr() net.Addr { return l.port.Addr() }
