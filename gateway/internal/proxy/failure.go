package proxy

import (
	"context"
	"errors"
	"net/http"

	"oms.internal/libs/fault"
)

// failure says what it means to the client that a service did not answer.
func failure(method string, cause error) error {
	switch {
	case isConnect(cause):
		return fault.NewUnavailable(cause)
	case isTimeout(cause):
		return fault.NewTimeout(cause)
	case isBroken(cause) && writes(method):
		return fault.NewOutcomeUnknown(cause)
	default:
		return fault.NewUnavailable(cause)
	}
}

// connectError says that there was no connection: the instance is down, whether its port refuses or its host is silent.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

func isConnect(err error) bool {
	_, ok := errors.AsType[connectError](err)
	return ok
}

// brokenError says that a connection broke, or brought nothing in time, after something of the request may have been sent.
type brokenError struct{ error }

func (e brokenError) Unwrap() error { return e.error }

func isBroken(err error) bool {
	_, ok := errors.AsType[brokenError](err)
	return ok
}

// lateError is what the errors of net and fasthttp that may be timeouts have in common.
type lateError interface {
	error
	Timeout() bool
}

func isTimeout(err error) bool {
	late, ok := errors.AsType[lateError](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && late.Timeout()
}

// writes reports whether a method may change something.
func writes(method string) bool { return method != http.MethodGet && method != http.MethodHead }
