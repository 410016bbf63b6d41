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

// streamed is the body of an answer that passes piece by piece, whatever its size, when the handler of its request has returned.
// It breaks off where the service does, and soon after its caller's token has stopped being valid.
type streamed struct {
	answer *Answer
	pieces io.Reader
	// ctx is the request's without its deadline.
	ctx   context.Context //nolint:containedctx // Read has none
	valid func(context.Context) error
	// checked is when valid was asked last.
	checked time.Time
}

func newStreamed(request context.Context, answer *Answer, valid func(context.Context) error) *streamed {
	return &streamed{
		answer: answer, pieces: answer.pieces(pieceTimeout), ctx: context.WithoutCancel(request), valid: valid, checked: time.Now(),
	}
}

func (s *streamed) Read(into []byte) (int, error) {
	if now := time.Now(); now.Sub(s.checked) >= checkAgain {
		if err := s.stillValid(); err != nil {
			return 0, err
		}
		s.checked = now
	}
	return s.pieces.Read(into)
}

func (s *streamed) stillValid() error {
	ctx, cancel := context.WithTimeout(s.ctx, pieceTimeout)
	defer cancel()
	return s.valid(ctx)
}

func (s *streamed) Close() error {
	s.answer.Close()
	return nil
}
