package httpx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"oms.internal/libs/handover"
)

// What the kernel keeps of one connection, in bytes; Linux takes twice as much for its own records. Left to itself, it keeps 4 MiB
// of an answer that the client does not read, in memory that counts for the container. Less than this makes large answers slow on
// the loopback interface, whose packets are large: each waits for a delayed acknowledgement.
const (
	sendBuffer    = 48 << 10
	receiveBuffer = 32 << 10
)

// backlog is how many connections may wait to be accepted. The kernel takes less where it allows less.
const backlog = 4096

// Port is a TCP address that a process has taken, but does not listen at yet. A connection to it is refused at once, so
// that the gateway asks another instance; with a listener that does not accept, the request would wait here.
type Port struct {
	socket *os.File
	addr   net.Addr
	// beside is true where another process listened at the address already when this one took it.
	beside bool
	kept   *handover.Port // nil where the process took the port itself
}

// take takes the port at one address. An address that is a path, such as /run/ports/gateway, is the Unix socket of a process that keeps
// the port (package handover); such a port is always shared.
func take(address string, shared bool) (*Port, error) {
	if filepath.IsAbs(address) {
		return takeKept(address)
	}
	wanted, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", address, err)
	}
	beside := false
	if shared {
		alone, err := newSocket(wanted, false)
		if beside = err != nil; !beside {
			_ = syscall.Close(alone)
		}
	}
	descriptor, err := newSocket(wanted, shared)
	if err != nil {
		return nil, &net.OpError{Op: "bind", Net: "tcp", Addr: wanted, Err: err}
	}
	port := &Port{socket: os.NewFile(uintptr(descriptor), "port "+address), beside: beside}
	if port.addr, err = boundTo(descriptor); err != nil {
		return nil, errors.Join(err, port.Close())
	}
	return port, nil
}

func takeKept(path string) (*Port, error) {
	kept, err := handover.Take(path)
	if err != nil {
		return nil, err
	}
	port := &Port{socket: kept.Socket, beside: kept.Beside, kept: kept}
	socket, err := kept.Socket.SyscallConn()
	if err == nil {
		controlErr := socket.Control(func(descriptor uintptr) {
			if err = setBuffers(int(descriptor)); err == nil {
				port.addr, err = boundTo(int(descriptor))
			}
		})
		err = errors.Join(err, controlErr)
	}
	if err != nil {
		return nil, errors.Join(err, port.Close(), kept.Leave())
	}
	return port, nil
}

func boundTo(descriptor int) (net.Addr, error) {
	bound, err := syscall.Getsockname(descriptor)
	switch bound := bound.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: bound.Addr[:], Port: bound.Port}, nil
	case *syscall.SockaddrInet6:
		return &net.TCPAddr{IP: bound.Addr[:], Port: bound.Port}, nil
	}
	return nil, os.NewSyscallError("getsockname", err)
}

// TakeBoth takes the ports at the two addresses of a process, such as :8080: the one for requests and the one for operators. It takes
// both or none, and both are shared or none is. It fails where somebody listens already, unless that is another process of this user that
// shares its ports, too: the kernel spreads connections over all that listen. A process is replaced so: its successor listens before
// it ends.
func TakeBoth(public, admin string, shared bool) (publicPort, adminPort *Port, err error) {
	publicPort, err = take(public, shared)
	if err != nil {
		return nil, nil, fmt.Errorf("HTTP_ADDR: %w", err)
	}
	adminPort, err = take(admin, shared)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("ADMIN_ADDR: %w", err), publicPort.Close())
	}
	return publicPort, adminPort, nil
}

// Addr is the address with the port that the kernel chose where 0 was asked for.
func (p *Port) Addr() net.Addr { return p.addr }

// Beside tells whether another process listened at the address when the port was taken.
func (p *Port) Beside() bool { return p.beside }

// Hold returns nil when ctx ends. It fails where the port is kept by another process that has ended, because nobody reaches this process
// then.
func (p *Port) Hold(ctx context.Context) error {
	if p.kept != nil {
		return p.kept.Hold(ctx)
	}
	<-ctx.Done()
	return nil
}

// ListenOr is Late or Listen.
func (p *Port) ListenOr(late bool) (net.Listener, error) {
	if late {
		return p.Late(), nil
	}
	return p.Listen()
}

// Late returns a listener that begins to listen when Accept is called first. So a process takes no connections from the one beside it
// before it can answer them.
func (p *Port) Late() net.Listener { return &lateListener{port: p} }

// Listen begins to listen; the port is used up then, also where that fails. When the listener is closed it resets no
// connection, unlike that of package net: each has been accepted by then.
func (p *Port) Listen() (net.Listener, error) {
	defer p.socket.Close() //nolint:errcheck // the listener has a copy
	connection, err := p.socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	var listenErr error
	err = connection.Control(func(descriptor uintptr) { listenErr = syscall.Listen(int(descriptor), backlog) })
	if err := errors.Join(err, listenErr); err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: p.addr, Err: err}
	}
	listener, err := net.FileListener(p.socket)
	if err != nil || p.kept != nil { // the queue of a kept port stays, so its listener need not be patient
		return listener, err
	}
	return patientListener{listener.(*net.TCPListener)}, nil
}

// Close gives the port up. A listener at it stays.
func (p *Port) Close() error { return p.socket.Close() }

// newSocket returns a socket that is bound to the address, set up as package net does it.
func newSocket(address *net.TCPAddr, shared bool) (descriptor int, err error) {
	if ip := address.IP.To4(); ip != nil {
		return bind(syscall.AF_INET, &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(ip)}, shared)
	}
	all := &syscall.SockaddrInet6{Port: address.Port}
	if address.IP != nil && !address.IP.IsUnspecified() {
		all.Addr = [16]byte(address.IP)
	}
	descriptor, err = bind(syscall.AF_INET6, all, shared)
	if errors.Is(err, syscall.EAFNOSUPPORT) {
		return bind(syscall.AF_INET, &syscall.SockaddrInet4{Port: address.Port}, shared) // a machine without IPv6
	}
	return descriptor, err
}

func bind(family int, address syscall.Sockaddr, shared bool) (descriptor int, err error) {
	// No child process may inherit the socket; see syscall.ForkLock.
	syscall.ForkLock.RLock()
	descriptor, err = syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(descriptor)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if family == syscall.AF_INET6 {
		// With the unspecified address it is for IPv4 as well. Where the system does not allow that, it is for IPv6.
		_ = syscall.SetsockoptInt(descriptor, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	}
	// Connections of a process that has just ended do not keep its successor from the address.
	err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(descriptor, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	if err == nil {
		err = setBuffers(descriptor)
	}
	if err == nil && shared {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(descriptor, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	}
	if err == nil {
		err = os.NewSyscallError("bind", syscall.Bind(descriptor, address))
	}
	if err != nil {
		return -1, errors.Join(err, syscall.Close(descriptor))
	}
	return descriptor, nil
}

// setBuffers sets what each connection inherits.
func setBuffers(descriptor int) error {
	return os.NewSyscallError("setsockopt", errors.Join(
		syscall.SetsockoptInt(descriptor, syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer),
		syscall.SetsockoptInt(descriptor, syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)))
}
