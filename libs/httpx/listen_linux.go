package httpx

import (
	"time"

	"golang.org/x/sys/unix"
)

// A listener that closes looks so many times, so far apart, whether its queue is empty: for a second.
const (
	looks     = 1000
	lookEvery = time.Millisecond
)

// endListening ends it at a moment when the queue is empty. Nothing lies between the look and the end, so that hardly a
// connection can come in between.
func endListening(descriptor int) {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for range looks {
		if isQueueEmpty(descriptor) {
			break
		}
		<-again.C
	}
	// Closing does the same a little later. It fails where that has happened.
	_ = unix.Shutdown(descriptor, unix.SHUT_RD)
}

// isQueueEmpty tells whether all connections have been accepted. For a socket that listens, the field for unacknowledged
// segments is the length of its queue (tcp_get_info in Linux' net/ipv4/tcp.c; ss shows it as Recv-Q).
func isQueueEmpty(descriptor int) bool {
	info, err := unix.GetsockoptTCPInfo(descriptor, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err != nil || info.Unacked == 0
}
