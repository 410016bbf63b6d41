package proc

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Free ports come from below the range that the kernel gives to outgoing connections. So a server that is stopped and started again
// finds its port free.
const (
	lowestPort  = 18000
	highestPort = 32000
)

// reserved holds a UDP socket for each port that this process was given. Nothing here uses UDP. The socket keeps FreePort in other processes
// from returning the port before its server listens, or while that server is stopped.
var (
	reservedMutex sync.Mutex
	reserved      []net.PacketConn
)

// FreePort returns a TCP port of 127.0.0.1 on which nothing listens. While this process lives, no other call returns the same port, in this
// process or another.
func FreePort() (int, error) {
	reservedMutex.Lock()
	defer reservedMutex.Unlock()
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort) // #nosec G404 -- not a secret
		reservation, err := net.ListenPacket("udp", Loopback(port))
		if err != nil {
			continue
		}
		if listener, err := net.Listen("tcp", Loopback(port)); err != nil || listener.Close() != nil {
			_ = reservation.Close()
			continue
		}
		reserved = append(reserved, reservation)
		return port, nil
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// Loopback returns 127.0.0.1:port.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
