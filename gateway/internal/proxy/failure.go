package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"

	"oms.internal/libs/fault"
)

// failure says what it means to the client that a service did not answer. sent tells whether the request's headers had
// been written, so that the service may have read it.
func failure(method string, sent bool, cause error) error {
	switch {
	case isDial(cause):
		return fault.NewUnavailable(cause)
	case isTimeout(cause):
		return fault.NewTimeout(cause)
	case sent && writes(method):
		return fault.NewOutcomeUnknown(cause)
	default:
		return fault.NewUnavailable(cause)
	}
}

// isDial reports whether there was no connection: the service is down, whether its port refuses or its host is silent.
func isDial(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}

// writes reports whether a method may change something.
func writes(method string) bool { return method != http.MethodGet && method != http.MethodHead }
