package proxy

import (
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = time.Second
	// connections to one instance. Further requests wait for a free one until their deadline. This bounds the memory that a
	// hanging service costs.
	connections = 128
	// idleTimeout is shorter than the 75 s after which a service closes an idle connection (httpx), so that this side
	// is the one that closes, and no request meets a connection that is being closed.
	idleTimeout    = 30 * time.Second
	headerLimit    = 64 << 10 // bytes, of an answer
	connBufferSize = 4 << 10  // bytes, each direction of each connection
)

// idempotencyKey is the header Idempotency-Key in lower case. net/http sends a request with this header again after it was sent,
// but only if the name is written in the usual way. Whether to repeat a write is for the client to decide, so the gateway writes
// it in another way, which means the same to the service.
const idempotencyKey = "idempotency-key"

// newTransport returns the client side of the gateway. It is net/http's and not fasthttp's for two reasons: it watches
// idle connections, so that it notices at once when a service closes one or dies; and its rules for sending a request
// again are known and narrow, while fasthttp sends one up to five times.
//
// net/http sends a request again only on a connection that was used before, and only if (1) not one byte of it was
// written and its body is empty or can be read again (GetBody), or (2) the service closed the connection without an
// answer, the body is empty or can be read again, and the method is GET, HEAD, OPTIONS or TRACE or the request has an
// Idempotency-Key (Request.isReplayable). The first is welcome, since nothing is sent twice. Writes stay out of the second
// because of their methods and the name that idempotencyKey has.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		// No proxy from the environment: principals must not go anywhere else.
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		MaxConnsPerHost:        connections,
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        idleTimeout,
		DisableCompression:     true, // bodies pass as they are
		MaxResponseHeaderBytes: headerLimit,
		ReadBufferSize:         connBufferSize,
		WriteBufferSize:        connBufferSize,
	}
}
