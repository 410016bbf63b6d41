// Package proxy passes requests on to a service and its answers back.
//
// Of what the client sent, only the method, the path, the query, the body and a few headers pass. Who asks, under which URL and
// under which request id is what the gateway says, so services can believe it. A request that may change something is sent
// at most once, whichever instances of the service come and go. A service that is down is 503 and one that hangs 504, within
// the deadline of the request's context. The package does not decide who may ask for what.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/consistency"
	"oms.internal/libs/consistency/consistencyhttp"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
	"oms.internal/libs/pace"
	"oms.internal/libs/requestid"
)

// AnswerReader acts on what an answer to the caller tells the gateway in its headers. An error makes the answer a 500.
type AnswerReader func(caller authn.Principal, answer *fasthttp.ResponseHeader) error

// Options say what a Service is made of.
type Options struct {
	// Name is the audience of principals for the service.
	Name      string
	Instances *Instances
	Signer    *assertion.Signer
	// Required is the consistency token that a request of the member requires, given the one that it bears itself.
	Required func(memberID uint64, sent consistency.Token) consistency.Token
	// Readers read each answer, whatever its status, before the client gets it.
	Readers []AnswerReader
	// Answers are shared with other services.
	Answers *Answers
	// Pause returns after a while, or when ctx ends; nil stands for a timer.
	Pause func(ctx context.Context, while time.Duration)
}

// longestPause is the longest time for which an answer is held back (httpx.HeaderPause).
const longestPause = time.Second

// Service is one service behind the gateway.
type Service struct{ Options }

// NewService returns a service.
func NewService(options Options) *Service {
	if options.Pause == nil {
		options.Pause = func(ctx context.Context, while time.Duration) { _ = pace.Wait(ctx, while) }
	}
	return &Service{options}
}

// Forward has the service answer the request in the name of the principal. The context of c must have a deadline. An answer that
// is streamed may take long, so valid is asked again and again while it passes; its error ends the answer.
func (s *Service) Forward(c *fiber.Ctx, principal authn.Principal, valid func(context.Context) error) error {
	deadline, ok := c.UserContext().Deadline()
	if !ok {
		return errors.New("the request has no deadline")
	}
	answer, err := s.ask(c, principal, deadline)
	if err != nil {
		return err
	}
	pause, err := s.pass(c, principal, answer, valid)
	if err != nil {
		return err
	}
	s.holdBack(c.UserContext(), pause)
	return nil
}

// pass hands an answer to the client, and closes it unless it is streamed: then that is done after its last piece. It returns for
// how long the service wants the client to wait for it.
func (s *Service) pass(c *fiber.Ctx, principal authn.Principal, answer *Answer, valid func(context.Context) error) (pause string, err error) {
	streams := false
	defer func() {
		if !streams {
			answer.Close()
		}
	}()
	if err := s.read(c, principal, answer); err != nil {
		return "", err
	}
	if len(answer.Header.Peek(httpx.HeaderStream)) > 0 && answer.Header.ContentLength() == unknownLength && !answer.SkipBody {
		if err := httpx.SendStream(c, newStreamed(c.UserContext(), answer, valid)); err != nil {
			return "", err
		}
		streams = true
	} else if err := s.keep(c, answer); err != nil {
		return "", err
	}
	copyAnswer(c, answer)
	return string(answer.Header.Peek(httpx.HeaderPause)), nil
}

// ask has an instance answer.
func (s *Service) ask(c *fiber.Ctx, principal authn.Principal, deadline time.Time) (*Answer, error) {
	request := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(request)
	if err := s.fill(request, c, principal); err != nil {
		return nil, err
	}
	answer, err := s.Instances.Ask(request, deadline)
	if err != nil {
		return nil, failure(c.Method(), fmt.Errorf("ask %s: %w", s.Name, err))
	}
	return answer, nil
}

// read notes what the answer tells the gateway.
func (s *Service) read(c *fiber.Ctx, principal authn.Principal, answer *Answer) error {
	httpx.NoteReason(c, &answer.Header)
	for _, read := range s.Readers {
		if err := read(principal, &answer.Header); err != nil {
			return fault.NewInternal(fmt.Errorf("answer of %s: %w", s.Name, err))
		}
	}
	return nil
}

// holdBack waits as long as the service asked for, when the connection of the answer is free for other requests.
func (s *Service) holdBack(ctx context.Context, asked string) {
	if pause, err := time.ParseDuration(asked); err == nil && pause > 0 {
		s.Pause(ctx, min(pause, longestPause))
	}
}

// fill makes the request to the service. Its body is the client's own, so it must not be used once the handler has returned.
func (s *Service) fill(request *fasthttp.Request, c *fiber.Ctx, principal authn.Principal) error {
	source := forwarded.Of(c)
	if !forwarded.IsHost(source.Host) {
		return fault.New(fault.Malformed, "The Host header is missing or not valid.", nil)
	}
	signed, err := s.Signer.Sign(principal, s.Name)
	if err != nil {
		return err
	}
	header := &request.Header
	header.SetNoDefaultContentType(true)
	header.SetMethod(c.Method())
	// The path matched a route byte by byte and so holds nothing that could be written in another way; the query
	// goes on as it came.
	target := c.Path()
	if query := c.Request().URI().QueryString(); len(query) > 0 {
		target += "?" + string(query)
	}
	request.SetRequestURI(target)
	addRequestHeaders(header, &c.Request().Header)
	header.Set(assertion.Header, signed)
	header.Set(requestid.Header, requestid.From(c.UserContext()))
	header.Set(httpx.HeaderForwardedHost, source.Host)
	header.Set(httpx.HeaderForwardedProto, source.Proto)
	if source.Prefix != "" {
		header.Set(httpx.HeaderForwardedPrefix, source.Prefix)
	}
	if token := s.Required(principal.MemberID, consistencyhttp.Sent(c)); token > 0 {
		header.Set(consistency.Header, token.String())
	}
	if body := c.Request().Body(); len(body) > 0 && writes(c.Method()) {
		request.SetBodyRaw(body)
	}
	return nil
}
