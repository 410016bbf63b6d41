package httpx

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// fasthttp takes the memory for a body as soon as a client announces it. Thousands of clients that announce a large body and
// never send it would take all memory, so the number of large bodies that are on their way is bounded.
const (
	// smallBody, in bytes, is not counted: a connection takes more memory than that anyway.
	smallBody   = 4 << 10
	largeBodies = 128
	// chunked is what fasthttp gives as the length of a body in chunks.
	chunked = -1
)

// room counts the large bodies of the requests that are arriving or being answered. It knows a request by the address of its
// header, since fasthttp shows nothing else before the body.
type room struct {
	mutex sync.Mutex
	held  map[*fasthttp.RequestHeader]time.Time
	// atMost is how long a request can take. fasthttp ends some without calling a hook; their places are free after this time.
	atMost time.Duration
}

func newRoom(atMost time.Duration) *room {
	return &room{held: map[*fasthttp.RequestHeader]time.Time{}, atMost: atMost}
}

// announced decides how large the body may be.
func (r *room) announced(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if !needsRoom(header) || r.enter(header, time.Now()) {
		return fasthttp.RequestConfig{}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: smallBody}
}

// needsRoom is false for a body beyond the limit, which is refused before it takes anything.
func needsRoom(header *fasthttp.RequestHeader) bool {
	length := header.ContentLength()
	return length == chunked || length > smallBody && length <= BodyLimit
}

// refuses reports whether the body that was announced will not be read.
func (r *room) refuses(header *fasthttp.RequestHeader) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_, held := r.held[header]
	return header.ContentLength() > BodyLimit || needsRoom(header) && !held
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
