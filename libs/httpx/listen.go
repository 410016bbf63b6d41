package httpx

import (
	"errors"
	"net"
	"syscall"
)

// patientListener ends when its queue is empty. The kernel completes connections before the process accepts them, and clients
// then send their requests. When a listener closes, the kernel resets the connections that are still in the queue.
type patientListener struct{ *net.TCPListener }

// Accept fails with net.ErrClosed also between the end of listening and the end of Close.
func (l patientListener) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if errors.Is(err, syscall.EINVAL) {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close waits until the connections in the queue have been accepted elsewhere, for at most a second.
func (l patientListener) Close() error {
	socket, err := l.SyscallConn()
	if err != nil {
		return err
	}
	ended := socket.Control(func(descriptor uintptr) { endListening(int(descriptor)) })
	return errors.Join(ended, l.TCPListener.Close())
}
