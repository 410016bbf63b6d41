// Package handover passes a TCP port from a process that keeps it to the processes that serve at it. The keeper accepts no connection
// and knows nothing of what is served, so it lives longer than any of them: a process and its successor serve at one port, though
// each runs in a network of its own. The port travels as a file descriptor over a Unix socket, whose file is all that they share.
//
// The package imports nothing but the standard library, so that the keeper's program changes with nothing else.
package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// What a keeper says to a process along with the port.
const (
	alone  byte = iota
	beside      // another process has taken the port, too
)

// mostTakers is how many processes have a port at a time. An upgrade needs two. A process that went on asking would otherwise use up what
// the keeper has of memory and descriptors, and with it end the ports of all others.
const mostTakers = 8

// Keeper keeps a port.
type Keeper struct {
	port   *net.TCPListener
	socket syscall.RawConn // the port's
	giver  *net.UnixListener

	taking sync.Mutex
	takers int
}

// Keep takes the port at address, such as :8080, and gives it away at the Unix socket with this path once Run runs. Connections are
// refused until a process that took the port listens. The address names its port: the kernel would not keep one that it chose itself.
func Keep(ctx context.Context, address, path string) (*Keeper, error) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // a process listens at it with the means of package httpx
	listener, err := plain.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	port := listener.(*net.TCPListener)
	socket, err := port.SyscallConn()
	if err == nil {
		err = refuse(socket)
	}
	// A keeper that was killed has left its file.
	if removeErr := os.Remove(path); !errors.Is(removeErr, os.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	var giver *net.UnixListener
	if err == nil {
		giver, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	}
	if err != nil {
		return nil, errors.Join(err, port.Close())
	}
	return &Keeper{port: port, socket: socket, giver: giver}, nil
}

// Addr is the address of the port.
func (k *Keeper) Addr() net.Addr { return k.port.Addr() }

// Run gives the port to those who ask, until ctx ends or it can give no more. Then the port is lost to all who took it. While many have the
// port, the next one gets none.
func (k *Keeper) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = k.giver.Close() })
	defer stop()
	defer k.port.Close() //nolint:errcheck // nothing was written to it
	var takers sync.WaitGroup
	defer takers.Wait()
	defer cancel()
	for {
		taker, err := k.giver.AcceptUnix()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("give a port away: %w", err)
		}
		leave := context.AfterFunc(ctx, func() { _ = taker.Close() })
		takers.Go(func() {
			defer leave()
			k.give(taker)
		})
	}
}

// give gives the port to a process and returns when that process has ended. When the last one has, connections are refused again.
func (k *Keeper) give(taker *net.UnixConn) {
	defer taker.Close() //nolint:errcheck // nothing waits to be sent
	k.taking.Lock()
	if k.takers == mostTakers {
		k.taking.Unlock()
		return
	}
	said := alone
	if k.takers > 0 {
		said = beside
	}
	k.takers++
	k.taking.Unlock()

	var sent error
	err := k.socket.Control(func(descriptor uintptr) {
		_, _, sent = taker.WriteMsgUnix([]byte{said}, syscall.UnixRights(int(descriptor)), nil)
	})
	if err == nil && sent == nil {
		_, _ = io.Copy(io.Discard, taker) // the process sends nothing, and the kernel closes its end
	}

	k.taking.Lock()
	defer k.taking.Unlock()
	if k.takers--; k.takers == 0 {
		_ = refuse(k.socket)
	}
}

// refuse ends listening at a port and keeps it. Whoever has the socket may listen again.
func refuse(socket syscall.RawConn) error {
	var ended error
	err := socket.Control(func(descriptor uintptr) {
		// The error says that nobody listened.
		if ended = syscall.Shutdown(int(descriptor), syscall.SHUT_RD); errors.Is(ended, syscall.ENOTCONN) {
			ended = nil
		}
	})
	return errors.Join(err, os.NewSyscallError("shutdown", ended))
}

// Port is a port that a keeper gave to this process.
type Port struct {
	// Socket is bound to the port. The keeper and other processes have it, too: nobody but the keeper may shut it down.
	Socket *os.File
	// Beside tells whether another process had taken the port when this one took it.
	Beside bool

	keeper *net.UnixConn
}

// patience is how long a keeper may take to give its port away. One that hangs must not let a process wait without a word.
const patience = 30 * time.Second

// Take asks the keeper at the Unix socket with this path for its port. The process has taken it until it ends, or calls Leave.
func Take(path string) (*Port, error) { return take(path, patience) }

func take(path string, patience time.Duration) (*Port, error) {
	keeper, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	err = keeper.SetReadDeadline(time.Now().Add(patience))
	var port *Port
	if err == nil {
		port, err = receive(keeper)
	}
	if err == nil {
		err = keeper.SetReadDeadline(time.Time{}) // Hold reads for as long as the port is kept
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take the port of %s: %w", path, err), keeper.Close())
	}
	return port, nil
}

func receive(keeper *net.UnixConn) (*Port, error) {
	const descriptorSize = 4
	said, rights := make([]byte, 1), make([]byte, syscall.CmsgSpace(descriptorSize))
	n, rightsLength, _, _, err := keeper.ReadMsgUnix(said, rights)
	if err != nil {
		return nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:rightsLength])
	if err != nil || n != 1 || len(messages) != 1 {
		return nil, errors.Join(errors.New("the keeper gave no port"), err)
	}
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 1 {
		return nil, errors.Join(errors.New("the keeper gave no port"), err)
	}
	return &Port{Socket: os.NewFile(uintptr(descriptors[0]), "kept port"), Beside: said[0] == beside, keeper: keeper}, nil
}

// Hold returns nil when ctx ends, and an error when the keeper has ended, because nobody reaches the port then.
func (p *Port) Hold(ctx context.Context) error {
	lost := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, p.keeper)
		close(lost)
	}()
	select {
	case <-ctx.Done():
		return nil
	case <-lost:
		return errors.New("the keeper of the port has ended")
	}
}

// Leave tells the keeper that this process has done with the port. A process that ends need not.
func (p *Port) Leave() error { return p.keeper.Close() }
