package httpx

import (
	"errors"
	"net"
	"syscall"
)

// patientListener ends when no connection waits in its queue. The kernel completes connections before they are accepted,
// and clients then send their requests; a listener that closes resets those.
type patientListener struct{ *net.TCPListener }

// Accept fails with net.ErrClosed also between the end of listening and the end of Close.
func (l patientListener) Accept() (net.Conn, error) {
	conn, err := l.TCPListener.Accept()
	if errors.Is(err, syscall.EINVAL) {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close needs somebody who still accepts, and does not wait for long.
func (l patientListener) Close() error {
	socket, err := l.SyscallConn()
	if err != nil {
		return err
	}
	ended := socket.Control(func(descriptor uintptr) { endListening(int(descriptor)) })
	return errors.Join(ended, l.TCPListener.Close())
}
