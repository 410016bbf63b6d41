package httpx

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/authn"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// HeaderStream marks an answer of a service whose body comes piece by piece, so that the gateway passes it on so.
const HeaderStream = "Oms-Stream"

const (
	// pieceTimeout is how long a service may take for one piece of a body.
	pieceTimeout = 10 * time.Second
	// streamLimit is how long a whole body may take. A million orders take a minute, or a quarter of an hour on a slow line; a
	// client that reads more slowly shall not keep its place for ever.
	streamLimit = time.Hour
	// paceBytes are what a client must take within writeTimeout. One that takes less holds a place for nothing.
	paceBytes = 64 << 10
)

var (
	errEnding  = errors.New("the server ends")
	errTooLong = errors.New("the stream takes too long")
	// errOldClient is the fault for a client that could not tell a cut stream from a whole one.
	errOldClient = fault.New(fault.Malformed, "This answer needs HTTP/1.1: in HTTP/1.0 a file that breaks off looks like a whole one.", nil)
)

// SendStream answers with a body of any size, which is read while it is sent, and closed in the end. When reading fails, the
// connection is cut without the last chunk of a whole body, so that the client sees it. It is cut, too, when the body takes more
// than an hour, when the client takes less than 64 KiB within 10 s (in which there is something to take), and when the server has drained and waits for its last
// requests. A client that speaks HTTP/1.0, where a body has no chunks, is refused with the fault Malformed; the body is then left
// to the caller.
func SendStream(c *fiber.Ctx, body io.ReadCloser) error {
	if !c.Request().Header.IsHTTP11() {
		return errOldClient
	}
	sendPaced(c, body, -1)
	return nil
}

// SendSized answers with a body of this many bytes, which is read and closed as that of SendStream, and ends early for the same
// reasons. A client of HTTP/1.0 gets it, too, because its size tells whether it is whole.
func SendSized(c *fiber.Ctx, body io.ReadCloser, size int) { sendPaced(c, body, size) }

// sendPaced has fasthttp read a body while it sends it. A size below 0 stands for one that is not known.
func sendPaced(c *fiber.Ctx, body io.ReadCloser, size int) {
	c.Response().SetBodyStream(&stream{
		ReadCloser: body, until: time.Now().Add(streamLimit), unpaced: paceBytes, conn: c.Context().Conn(), ending: c.Context().Done(),
		ctx: context.WithoutCancel(c.UserContext()),
	}, size)
}

// stream is a body that fasthttp reads while it sends it.
type stream struct {
	io.ReadCloser
	until time.Time
	conn  net.Conn
	// deadline is until when the client must have taken the bytes that are unpaced and those before them.
	deadline time.Time
	// unpaced are the bytes since the deadline began, paceBytes at first.
	unpaced int
	// ending is closed when the server waits for its last requests.
	ending <-chan struct{}
	ctx    context.Context //nolint:containedctx // Read has none; the log needs the request's id
}

func (s *stream) Read(into []byte) (count int, err error) {
	defer func() {
		if err != nil && !errors.Is(err, io.EOF) {
			slog.WarnContext(s.ctx, "a stream is cut", "error", err)
		}
	}()
	select {
	case <-s.ending:
		return 0, errEnding
	default:
	}
	if time.Now().After(s.until) {
		return 0, errTooLong
	}
	began := time.Now()
	count, err = s.ReadCloser.Read(into)
	if deadlineErr := s.pace(count, time.Since(began)); err == nil {
		err = deadlineErr
	}
	return count, err
}

// pace sets the deadline of what is written next. The client is not charged for the time in which there was nothing to take, because
// the body was waited for.
func (s *stream) pace(count int, waited time.Duration) error {
	s.deadline = s.deadline.Add(waited)
	if s.unpaced += count; s.unpaced >= paceBytes {
		s.unpaced, s.deadline = 0, time.Now().Add(writeTimeout)
	}
	return s.conn.SetWriteDeadline(s.deadline)
}

// Streams answers with bodies that come piece by piece, a few at the same time. Their places are shared among members.
type Streams struct{ places *fairshare.Pool[uint64] }

// NewStreams returns Streams of which at most so many run at once; more are refused with a fault. How many run and are refused is
// among the metrics.
func NewStreams(most int, metrics prometheus.Registerer) Streams {
	places := fairshare.NewPool[uint64]("streams", most)
	metrics.MustRegister(places.Collectors()...)
	return Streams{places}
}

// Answer sends what next returns until it returns nothing. What fails in the first piece is answered as a fault; after that the
// stream is cut, as in SendStream. next also runs after the handler has returned. Its context has the values of the request's,
// and ends after 10 s.
func (s Streams) Answer(c *fiber.Ctx, next func(context.Context) ([]byte, error)) error {
	member := authn.From(c.UserContext()).MemberID
	if err := s.places.Take(member, 1); err != nil {
		return err
	}
	leave := func() { s.places.Give(member, 1) }
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
	body := &pieces{
		pending: first, ended: len(first) == 0, next: next, ctx: context.WithoutCancel(c.UserContext()), leave: leave,
	}
	if err := SendStream(c, body); err != nil {
		return err
	}
	streaming = true
	c.Set(HeaderStream, "1")
	return nil
}

// pieces is a body that is made piece by piece.
type pieces struct {
	pending []byte
	ended   bool
	next    func(context.Context) ([]byte, error)
	ctx     context.Context //nolint:containedctx // Read has none
	leave   func()
}

func (p *pieces) Read(into []byte) (int, error) {
	if len(p.pending) == 0 && !p.ended {
		ctx, cancel := context.WithTimeout(p.ctx, pieceTimeout)
		defer cancel()
		piece, err := p.next(ctx)
		if err != nil {
			return 0, err
		}
		p.pending, p.ended = piece, len(piece) == 0
	}
	if len(p.pending) == 0 {
		return 0, io.EOF
	}
	count := copy(into, p.pending)
	p.pending = p.pending[count:]
	return count, nil
}

// Close gives the place back.
func (p *pieces) Close() error {
	p.leave()
	return nil
}
