package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

const (
	// MaxAnswer bounds the body of an answer, in bytes. The whole body is kept in memory, so that a failure in its middle can
	// still change the status.
	MaxAnswer = 4 << 20
	// smallAnswer, in bytes, takes no share: a connection takes more memory than that anyway.
	smallAnswer = 4 << 10
)

// Answers are the bytes of answers that are kept in memory, shared among the networks of clients: an answer stays there until
// its client has read it, and clients may read slowly.
type Answers = fairshare.Pool[netip.Addr]

// keep reads the body of an answer and has it written to the client. Its bytes are taken from the share of the client's network
// before they are read, and given back when they have been written or the connection has ended. HEAD and 304 have no body.
func (s *Service) keep(c *fiber.Ctx, answer *Answer) error {
	size := answer.Header.ContentLength()
	if answer.SkipBody {
		if c.Method() == http.MethodHead && size >= 0 {
			c.Response().Header.SetContentLength(size)
		}
		return nil
	}
	if size > MaxAnswer {
		return s.tooLarge(fasthttp.ErrBodyTooLarge)
	}
	held := &share{answers: s.Answers, network: forwarded.Network(forwarded.Of(c).Address)}
	if err := held.take(size); err != nil {
		if writes(c.Method()) {
			return fault.NewOutcomeUnknown(err) // it was made, but its answer cannot be told
		}
		return err
	}
	body, err := answer.readBody()
	held.shrink(len(body))
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return s.tooLarge(err)
	case err != nil:
		return failure(c.Method(), brokenError{fmt.Errorf("answer of %s: %w", s.Name, err)})
	case held.size == 0:
		c.Response().SetBodyRaw(body)
	default:
		c.Response().SetBodyStream(&kept{bytes.NewReader(body), held}, len(body))
	}
	return nil
}

func (s *Service) tooLarge(err error) error {
	return fault.NewInternal(fmt.Errorf("answer of %s: more than %d bytes: %w", s.Name, MaxAnswer, err))
}

// share is what one answer holds of its network's share.
type share struct {
	answers *Answers
	network netip.Addr
	size    int
}

// take takes a share for an answer of this size. One of unknown size, below 0, may be as large as any.
func (s *share) take(size int) error {
	switch {
	case size < 0:
		s.size = MaxAnswer
	case size > smallAnswer:
		s.size = size
	default:
		return nil
	}
	err := s.answers.Take(s.network, s.size)
	if err != nil {
		s.size = 0
	}
	return err
}

// shrink gives back what is held beyond a size.
func (s *share) shrink(size int) {
	if beyond := s.size - size; beyond > 0 {
		s.answers.Give(s.network, beyond)
		s.size = size
	}
}

// kept is a body that is given back once it was written or cannot be any more.
type kept struct {
	*bytes.Reader
	share *share
}

// Close is called by fasthttp after the last write, whether that succeeded or not.
func (k *kept) Close() error {
	k.share.shrink(0)
	return nil
}
