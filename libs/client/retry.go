package client

import (
	"errors"
	"net"
	"net/http"
	"time"

	"oms.internal/libs/fault"
)

// Waits without Retry-After double from the first up to the last. So many doublings lead there, and more could overflow.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
	doublings = 6
)

// again says whether a request that failed is sent again, and after what time.
func (s sender) again(request *http.Request, failed error, attempt int) (time.Duration, bool) {
	ctx, options := request.Context(), s.client.options
	if ctx.Err() != nil || attempt >= options.Attempts || !s.mayRepeat(request, failed) {
		return 0, false
	}
	backoff := min(firstWait<<min(attempt-1, doublings), lastWait)
	wait := backoff/2 + time.Duration(options.Random()*float64(backoff/2))
	if refusal, ok := errors.AsType[*Error](failed); ok {
		wait += refusal.RetryAfter
	}
	// The refusal tells a caller who would not wait so long more than the end of its context.
	deadline, bounded := ctx.Deadline()
	return wait, wait <= options.LongestWait && (!bounded || time.Until(deadline) >= wait)
}

// mayRepeat says whether the request may be sent again after this failure: because it was not done, or because doing it twice has the
// effect of doing it once.
func (s sender) mayRepeat(request *http.Request, failed error) bool {
	read := request.Method == http.MethodGet
	safe := s.repeatable || read || request.Header.Get("Idempotency-Key") != ""
	refusal, answered := errors.AsType[*Error](failed)
	if !answered {
		return safe || notSent(failed)
	}
	switch refusal.Code {
	case fault.TooManyRequests, fault.Unavailable:
		return true // not done
	case fault.Conflict:
		return refusal.RetryAfter > 0 // the first request with this key is still being done
	case fault.OutcomeUnknown, fault.Timeout:
		return safe
	case fault.Internal:
		return safe && !read // a read would fail again
	case "":
		return safe && refusal.Status >= http.StatusInternalServerError // of a proxy between
	default:
		return false
	}
}

// notSent says whether the connection was never made.
func notSent(failed error) bool {
	failure, ok := errors.AsType[*net.OpError](failed)
	return ok && failure.Op == "dial"
}
