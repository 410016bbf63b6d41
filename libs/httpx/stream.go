package httpx

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
)

// HeaderStream marks an answer of a service whose body comes piece by piece, so that the gateway passes it on so.
const HeaderStream = "Oms-Stream"

// pieceTimeout is how long one piece of a body may take to come. The client has writeTimeout to take it.
const pieceTimeout = 10 * time.Second

var (
	errStreams = errors.New("too many streams at once")
	errEnding  = errors.New("the server ends")
)

// Streams answers with bodies that come piece by piece, of any size, a few at the same time.
type Streams struct{ places chan struct{} }

// NewStreams returns Streams of which at most so many run at once; more hear the fault Unavailable.
func NewStreams(most int) Streams { return Streams{make(chan struct{}, most)} }

// Answer sends what next returns until it returns nothing. What fails in the first piece is answered as a fault. After that
// the status is sent already: the connection is cut instead, without the end that a whole body has, so that the client sees it.
// A stream is cut, too, once the server has drained and waits for its last requests, because a stream may take for ever.
// next runs after the handler has returned; its context has the values of the request's, and ends with pieceTimeout.
func (s Streams) Answer(c *fiber.Ctx, next func(context.Context) ([]byte, error)) error {
	select {
	case s.places <- struct{}{}:
	default:
		return fault.NewUnavailable(errStreams)
	}
	leave := func() { <-s.places }
	streaming := false
	defer func() {
		if !streaming {
			leave()
		}
	}()
	first, err := next(c.UserContext())
	if err != nil {
		return err
	}
	c.Set(HeaderStream, "1")
	body := &stream{
		pending: first, ended: len(first) == 0, next: next, ctx: context.WithoutCancel(c.UserContext()),
		conn: c.Context().Conn(), leave: leave, ending: c.Context().Done(),
	}
	streaming = true
	c.Response().SetBodyStream(body, -1)
	return nil
}

// stream is a body that fasthttp reads while it sends it, and closes in the end.
type stream struct {
	pending []byte
	ended   bool
	next    func(context.Context) ([]byte, error)
	ctx     context.Context //nolint:containedctx // Read has none
	conn    net.Conn
	leave   func()
	ending  <-chan struct{}
}

func (s *stream) Read(into []byte) (int, error) {
	select {
	case <-s.ending:
		return 0, errEnding
	default:
	}
	if len(s.pending) == 0 && !s.ended {
		ctx, cancel := context.WithTimeout(s.ctx, pieceTimeout)
		defer cancel()
		piece, err := s.next(ctx)
		if err != nil {
			slog.ErrorContext(ctx, "a stream ends early", "error", err)
			return 0, err
		}
		s.pending, s.ended = piece, len(piece) == 0
	}
	if len(s.pending) == 0 {
		return 0, io.EOF
	}
	count := copy(into, s.pending)
	s.pending = s.pending[count:]
	return count, s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
}

func (s *stream) Close() error {
	s.leave()
	return nil
}
