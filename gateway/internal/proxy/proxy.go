// Package proxy passes requests on to a service and its answers back.
//
// Of what the client sent, only the method, the path, the query, the body and a few headers pass. Who asks, under which URL and
// under which request id is what the gateway says, so services can believe it. A request that may change something is sent
// at most once, whichever instances of the service come and go. A service that is down is 503 and one that hangs 504, within
// the deadline of the request's context. The package does not decide who may ask for what.
package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

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
type AnswerReader func(caller authn.Principal, answer http.Header) error

// Options say what a Service is made of.
type Options struct {
	// Name is the audience of principals for the service.
	Name string
	// Instances have the service answer.
	Instances http.RoundTripper
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
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	ctx, release, end := detached(c.UserContext())
	streams := false
	defer func() {
		if !streams {
			end()
		}
	}()
	request, err := s.request(httptrace.WithClientTrace(ctx, trace), c, principal)
	if err != nil {
		return err
	}
	answer, err := s.Instances.RoundTrip(request)
	if err != nil {
		return failure(request.Method, sent.Load(), fmt.Errorf("ask %s: %w", s.Name, err))
	}
	defer func() {
		if !streams {
			_ = answer.Body.Close()
		}
	}()
	httpx.NoteReason(c, answer.Header)
	for _, read := range s.Readers {
		if err := read(principal, answer.Header); err != nil {
			return fault.NewInternal(fmt.Errorf("answer of %s: %w", s.Name, err))
		}
	}
	if answer.Header.Get(httpx.HeaderStream) != "" && request.Method == http.MethodGet {
		body := &streamed{ReadCloser: answer.Body, ctx: ctx, end: end, valid: valid, checked: time.Now()}
		if err := httpx.SendStream(c, body); err != nil {
			return err
		}
		streams = true
		release()
		copyAnswer(&c.Response().Header, answer.Header)
		c.Status(answer.StatusCode)
		return nil
	}
	if err := s.keep(c, answer); err != nil {
		return err
	}
	s.holdBack(ctx, answer.Header)
	copyAnswer(&c.Response().Header, answer.Header)
	c.Status(answer.StatusCode)
	return nil
}

// holdBack waits as long as the service asks for. The answer has been read, so that its connection is free for other requests.
func (s *Service) holdBack(ctx context.Context, header http.Header) {
	if pause, err := time.ParseDuration(header.Get(httpx.HeaderPause)); err == nil && pause > 0 {
		s.Pause(ctx, min(pause, longestPause))
	}
}

func (s *Service) request(ctx context.Context, c *fiber.Ctx, principal authn.Principal) (*http.Request, error) {
	source := forwarded.Of(c)
	if !forwarded.IsHost(source.Host) {
		return nil, fault.New(fault.Malformed, "The Host header is missing or not valid.", nil)
	}
	signed, err := s.Signer.Sign(principal, s.Name)
	if err != nil {
		return nil, err
	}
	header := requestHeaders(c.Method(), &c.Request().Header)
	header.Set(assertion.Header, signed)
	header.Set(requestid.Header, requestid.From(ctx))
	header.Set(httpx.HeaderForwardedHost, source.Host)
	header.Set(httpx.HeaderForwardedProto, source.Proto)
	if source.Prefix != "" {
		header.Set(httpx.HeaderForwardedPrefix, source.Prefix)
	}
	if token := s.Required(principal.MemberID, consistencyhttp.Sent(c)); token > 0 {
		header.Set(consistency.Header, token.String())
	}
	request := &http.Request{
		Method: c.Method(),
		// The path matched a route byte by byte and so holds nothing that could be written in another way; the query
		// goes on as it came. The instance that is asked adds scheme and host.
		URL:    &url.URL{Path: c.Path(), RawQuery: string(c.Request().URI().QueryString())},
		Header: header,
	}
	if body := c.Request().Body(); len(body) > 0 && writes(request.Method) {
		// The body is copied, because the transport may still read it when the handler has returned and Fiber has given the
		// buffer to the next request. GetBody lets it be read again if nothing of it was sent; see newTransport.
		copied := bytes.Clone(body)
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(copied)), nil }
		request.ContentLength = int64(len(body))
	}
	return request.WithContext(ctx), nil
}
