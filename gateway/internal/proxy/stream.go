package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
)

// pieceTimeout is how long a piece of a streamed answer may take to come from the service, and to go to the client.
const pieceTimeout = 15 * time.Second

// detached returns a context that ends with the request's, until it is released. The body of a streamed answer goes on when
// the handler of the request has returned; it ends when end is called.
func detached(request context.Context) (ctx context.Context, release func(), end context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(request))
	stop := context.AfterFunc(request, func() { cancel(context.Cause(request)) })
	return ctx, func() { stop() }, func() { cancel(nil) }
}

// stream sends the body of an answer piece by piece, whatever its size. Where the service breaks off, so does the answer to
// the client, without the end that a whole one has. It also breaks off once the gateway has drained and waits for its last
// requests, because a stream may take for ever.
func stream(c *fiber.Ctx, body io.ReadCloser, end context.CancelFunc) {
	c.Response().SetBodyStream(&pieces{body: body, end: end, conn: c.Context().Conn(), ending: c.Context().Done()}, -1)
}

type pieces struct {
	body io.ReadCloser
	end  context.CancelFunc
	conn net.Conn
	// ending is closed when the server waits for its last requests.
	ending <-chan struct{}
}

var errEnding = errors.New("the gateway ends")

func (p *pieces) Read(into []byte) (int, error) {
	select {
	case <-p.ending:
		return 0, errEnding
	default:
	}
	late := time.AfterFunc(pieceTimeout, p.end)
	defer late.Stop()
	count, err := p.body.Read(into)
	if deadlineErr := p.conn.SetWriteDeadline(time.Now().Add(pieceTimeout)); err == nil {
		err = deadlineErr
	}
	return count, err
}

// Close is called by fasthttp in any case.
func (p *pieces) Close() error {
	p.end()
	return p.body.Close()
}
