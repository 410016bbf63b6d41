package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
)

// errNoAnswer ends an attempt that takes longer than the client's patience.
var errNoAnswer = errors.New("no answer in time")

// sender sends the requests of one kind of operation. Its error is an *Error where the gateway refused the request.
type sender struct {
	client     *Client
	session    bool // the operation is done in the client's session
	stream     bool // the body of the answer is read as it comes
	repeatable bool // it may be sent again, whatever became of it
}

// Do sends the request until it has an answer, or may not be sent again.
func (s sender) Do(request *http.Request) (*http.Response, error) {
	refreshed := false
	for attempt := 1; ; attempt++ {
		shown := s.client.grant.Load()
		if !s.session {
			shown = nil
		}
		token := ""
		if shown != nil {
			token = shown.Token
		}
		response, err := s.once(request, token)
		if err == nil {
			return response, nil
		}
		if shown != nil && shown.RefreshToken != "" && !refreshed && codeOf(err) == fault.Unauthenticated {
			if err := s.client.renew(request.Context(), shown); err != nil {
				return nil, fmt.Errorf("refresh the session: %w", err)
			}
			refreshed = true
			attempt--
			continue
		}
		wait, again := s.again(request, err, attempt)
		if !again {
			return nil, err
		}
		if ended := s.client.options.Wait(request.Context(), wait); ended != nil {
			return nil, fmt.Errorf("%w (%w before it was sent again)", err, ended)
		}
	}
}

// once sends the request one time, and reads the answer unless it is a stream.
func (s sender) once(request *http.Request, token string) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	impatience := time.AfterFunc(s.client.options.Patience, func() { cancel(errNoAnswer) })
	sent := request.Clone(ctx)
	if request.GetBody != nil {
		sent.Body, _ = request.GetBody() // of bytes, which can always be read again
	}
	if token != "" {
		sent.Header.Set("Authorization", "Token "+token)
	}
	if told := consistency.Token(s.client.told.Load()); told != 0 {
		sent.Header.Set(consistency.Header, told.String())
	}
	response, err := s.client.options.HTTP.Do(sent) // #nosec G704 -- to the gateway that the program was told
	if err != nil {
		impatience.Stop()
		cancel(nil)
		return nil, err
	}
	s.client.hear(response.Header)
	if s.stream && response.StatusCode < http.StatusMultipleChoices {
		impatience.Stop()
		response.Body = &stream{ReadCloser: response.Body, end: func() { cancel(nil) }}
		return response, nil
	}
	content, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	impatience.Stop()
	cancel(nil)
	if err != nil {
		return nil, fmt.Errorf("%s %s: the answer broke off: %w", request.Method, request.URL, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices && response.StatusCode != http.StatusNotModified {
		return nil, errorOf(response, content)
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	return response, nil
}

// hear remembers the latest moment that an answer told of.
func (c *Client) hear(header http.Header) {
	heard := uint64(consistency.Parse(header.Get(consistency.Header)))
	for known := c.told.Load(); heard > known && !c.told.CompareAndSwap(known, heard); known = c.told.Load() {
	}
}

// stream is the body of an answer that ends its request when it is closed.
type stream struct {
	io.ReadCloser
	end func()
}

func (s *stream) Close() error {
	defer s.end()
	return s.ReadCloser.Close()
}
