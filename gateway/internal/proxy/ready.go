package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/valyala/fasthttp"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/httpx"
)

// Ready returns nil if an instance says that it is ready. The context must have a deadline, until which an instance may take.
func (s *Instances) Ready(ctx context.Context, signer *assertion.Signer) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("the question has no deadline")
	}
	signed, err := signer.Sign(authn.Principal{}, s.service)
	if err != nil {
		return err
	}
	request := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(request)
	request.SetRequestURI(httpx.PathReady)
	request.Header.Set(assertion.Header, signed)
	// Asked once more, because an instance that drains is left out after its answer, and another one then answers.
	for range 2 {
		var answer *Answer
		if answer, err = s.Ask(request, deadline); err != nil {
			continue
		}
		status := answer.StatusCode()
		answer.Close()
		if status < http.StatusInternalServerError {
			return nil // also 404, of a release that does not know the question
		}
		err = fmt.Errorf("status %d", status)
	}
	return err
}
