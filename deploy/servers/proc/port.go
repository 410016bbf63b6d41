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

var (
	portsMutex sync.Mutex
	portsTaken = map[int]bool{}
)

// FreePort returns a port of 127.0.0.1 on which nothing listens. It never returns the same port twice in one process.
func FreePort() (int, error) {
	portsMutex.Lock()
	defer portsMutex.Unlock()
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort) // #nosec G404 -- not a secret
		if portsTaken[port] {
			continue
		}
		listener, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			continue
		}
		portsTaken[port] = true
		return port, nil
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// Loopback returns 127.0.0.1:port.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
