package httpx

import (
	"time"

	"golang.org/x/sys/unix"
)

// A listener that closes looks every millisecond, for a second, whether its queue is empty.
const (
	looks     = 1000
	lookEvery = time.Millisecond
)

// endListening ends listening at a moment when the queue is empty. Nothing happens between the look and the end, so it is very
// unlikely that a connection comes in between.
func endListening(descriptor int) {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for range looks {
		if isQueueEmpty(descriptor) {
			break
		}
		<-again.C
	}
	// The error does not matter: it means that the socket has been closed already.
	_ = unix.Shutdown(descriptor, unix.SHUT_RD)
}

// isQueueEmpty tells whether all connections have been accepted. For a socket that listens, the field for unacknowledged
// segments is the length of its queue (tcp_get_info in Linux' net/ipv4/tcp.c; ss shows it as Recv-Q).
func isQueueEmpty(descriptor int) bool {
	info, err := unix.GetsockoptTCPInfo(descriptor, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err != nil || info.Unacked == 0
}
