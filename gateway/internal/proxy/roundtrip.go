package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/valyala/fasthttp"
)

// RoundTrip has an instance answer a request that only reads, for the gateway's own questions: a library asks them by net/http. The
// context of the request must have a deadline. If it ends earlier, RoundTrip returns at once.
func (s *Instances) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	deadline, ok := ctx.Deadline()
	if !ok || writes(request.Method) {
		return nil, errors.New("only a request that reads and has a deadline is asked so")
	}
	asked := fasthttp.AcquireRequest()
	asked.Header.SetMethod(request.Method)
	asked.SetRequestURI(request.URL.RequestURI())
	for name, values := range request.Header {
		for _, value := range values {
			asked.Header.Add(name, value)
		}
	}
	type outcome struct {
		response *http.Response
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		defer fasthttp.ReleaseRequest(asked)
		answer, err := s.Ask(asked, deadline)
		if err != nil {
			done <- outcome{err: err}
			return
		}
		defer answer.Close()
		body, err := answer.readBody()
		if err != nil {
			done <- outcome{err: err}
			return
		}
		done <- outcome{response: &http.Response{
			StatusCode: answer.StatusCode(), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: request,
		}}
	}()
	select {
	case got := <-done:
		return got.response, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
