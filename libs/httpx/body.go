package httpx

import (
	"errors"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// fasthttp takes the memory for a body as soon as a client announces it. Thousands of clients that announce and never send
// would take all there is, so that only so many large bodies may be on their way at the same time.
const (
	// smallBody needs no room: a connection takes more than that anyway.
	smallBody   = 4 << 10
	largeBodies = 128
	// chunked is what fasthttp gives as the length of a body in chunks.
	chunked = -1
)

// noRoomKey marks a request that was refused because there was no room for its body.
type noRoomKey struct{}

// room is for the large bodies of the requests that are arriving or being answered. Requests are known by their headers'
// address, since fasthttp shows nothing else before the body.
type room struct {
	mutex sync.Mutex
	held  map[*fasthttp.RequestHeader]time.Time
	// atMost is how long a request can take. Where fasthttp ends one without a word, its place is free after this time.
	atMost time.Duration
}

func boundBodies(server *fasthttp.Server, atMost time.Duration) {
	bodies := &room{held: map[*fasthttp.RequestHeader]time.Time{}, atMost: atMost}
	server.HeaderReceived = bodies.announced
	handle, refuse := server.Handler, server.ErrorHandler
	server.Handler = func(request *fasthttp.RequestCtx) {
		defer bodies.leave(&request.Request.Header)
		handle(request)
	}
	server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		header := &request.Request.Header
		held := bodies.leave(header)
		// fasthttp has emptied the header of a request with chunks by now, and knows no length of it.
		if errors.Is(err, fasthttp.ErrBodyTooLarge) && !held && header.ContentLength() <= BodyLimit {
			request.SetUserValue(noRoomKey{}, true)
		}
		refuse(request, err)
	}
}

// announced decides how large the body may be.
func (r *room) announced(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	length := header.ContentLength()
	// Where it has a length beyond the limit, it is refused before it takes anything.
	large := length == chunked || length > smallBody && length <= BodyLimit
	if !large || r.enter(header, time.Now()) {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: smallBody}
}

func (r *room) enter(header *fasthttp.RequestHeader, now time.Time) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(r.held) >= largeBodies {
		for other, since := range r.held {
			if now.Sub(since) > r.atMost {
				delete(r.held, other)
			}
		}
	}
	if len(r.held) >= largeBodies {
		return false
	}
	r.held[header] = now
	return true
}

func (r *room) leave(header *fasthttp.RequestHeader) (held bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, held = r.held[header]
	delete(r.held, header)
	return held
}
