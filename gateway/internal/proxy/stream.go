package proxy

import (
	"context"
	"io"
	"time"
)

const (
	// pieceTimeout is how long a piece of a streamed answer may take to come from the service.
	pieceTimeout = 15 * time.Second
	// checkAgain is how often a streamed answer asks whether its caller may still have it.
	checkAgain = time.Second
)

// detached returns a context that ends with the request's, until it is released. The body of a streamed answer goes on when
// the handler of the request has returned; it ends when end is called.
func detached(request context.Context) (ctx context.Context, release func(), end context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(request))
	stop := context.AfterFunc(request, func() { cancel(context.Cause(request)) })
	return ctx, func() { stop() }, func() { cancel(nil) }
}

// streamed is the body of an answer that passes piece by piece, whatever its size. It breaks off where the service does, and
// soon after its caller's token has stopped being valid.
type streamed struct {
	io.ReadCloser
	ctx   context.Context //nolint:containedctx // Read has none
	end   context.CancelFunc
	valid func(context.Context) error
	// checked is when valid was asked last.
	checked time.Time
}

func (s *streamed) Read(into []byte) (int, error) {
	late := time.AfterFunc(pieceTimeout, s.end)
	defer late.Stop()
	if now := time.Now(); now.Sub(s.checked) >= checkAgain {
		if err := s.valid(s.ctx); err != nil {
			return 0, err
		}
		s.checked = now
	}
	return s.ReadCloser.Read(into)
}

func (s *streamed) Close() error {
	s.end()
	return s.ReadCloser.Close()
}
