// Package fault is the closed set of errors that cross a border of this system: from the domain to HTTP, and from one
// service to another over NATS.
//
// An error has two faces. Its public one (code, detail, messages per field) is written for the client. Its cause is
// written for the log and never leaves the process. A fault is recognised by its code, never by its text.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"time"
)

// Code says what kind of failure a fault is. The set is closed: httpx maps each to one HTTP status and natsx carries it
// by name.
type Code string

// The codes, each with what the client may do about it.
const (
	Malformed            Code = "malformed"              // the request cannot be read: correct it
	Invalid              Code = "invalid"                // a value is refused: correct the named fields
	Unauthenticated      Code = "unauthenticated"        // no valid credentials: log in
	Forbidden            Code = "forbidden"              // known, but not allowed
	NotFound             Code = "not_found"              // missing, or not to be seen by the caller
	MethodNotAllowed     Code = "method_not_allowed"     // the path exists, the method does not
	TooLarge             Code = "too_large"              // the body exceeds the limit
	UnsupportedMediaType Code = "unsupported_media_type" // the body is not JSON
	ExpectationFailed    Code = "expectation_failed"     // the Expect header asks for something that is not offered: leave it out
	Conflict             Code = "conflict"               // not in the present state: look, then decide
	PreconditionFailed   Code = "precondition_failed"    // changed since the caller looked (If-Match): look again
	KeyReused            Code = "key_reused"             // the Idempotency-Key belongs to another request: use a new one
	TooManyRequests      Code = "too_many_requests"      // repeat after RetryAfter
	Internal             Code = "internal"               // ours; look at the log under the request id
	Unavailable          Code = "unavailable"            // a part is down or busy: repeat after RetryAfter
	Timeout              Code = "timeout"                // a part did not answer in time
	OutcomeUnknown       Code = "outcome_unknown"        // a write may or may not have happened: look before repeating
)

// Error is a fault. The zero value is not valid; use the constructors.
type Error struct {
	Code Code
	// Detail is one sentence for the client.
	Detail string
	// Fields holds messages per field of the input, for Invalid. The key non_field_errors stands for the whole input.
	Fields map[string][]string
	// RetryAfter says when repeating may help; zero where it does not apply.
	RetryAfter time.Duration
	// Headers are HTTP headers that belong to the answer, such as Allow and WWW-Authenticate.
	Headers map[string]string

	cause error
}

// New returns a fault with a detail for the client and, where there is one, the cause for the log.
func New(code Code, detail string, cause error) *Error {
	return &Error{Code: code, Detail: detail, cause: cause}
}

// NewInvalid returns an Invalid fault with messages per field.
func NewInvalid(fields map[string][]string) *Error {
	return &Error{Code: Invalid, Detail: "Invalid input.", Fields: fields}
}

// InvalidField returns an Invalid fault with one message for one field.
func InvalidField(field, message string) *Error {
	return NewInvalid(map[string][]string{field: {message}})
}

// NewNotFound returns the fault for what is missing or hidden. Both cases are the same to a client, on purpose.
func NewNotFound() *Error { return New(NotFound, "Not found.", nil) }

// NewForbidden returns the fault for a known caller without the right.
func NewForbidden() *Error {
	return New(Forbidden, "You do not have permission to perform this action.", nil)
}

// NewUnavailable returns a fault for a part that is down or busy; repeating after a second may help.
func NewUnavailable(cause error) *Error {
	fault := New(Unavailable, "The service is temporarily unavailable. Please try again.", cause)
	fault.RetryAfter = time.Second
	return fault
}

// NewOutcomeUnknown returns the fault for a write of which nobody heard whether it was made. It does not invite to repeat,
// as Unavailable does; yet it says when the answer may be there to look up.
func NewOutcomeUnknown(cause error) *Error {
	fault := New(OutcomeUnknown, "It is not known whether the change was made. Look before you repeat it.", cause)
	fault.RetryAfter = time.Second
	return fault
}

// NewInProgress returns the Conflict of a request that was sent again under its Idempotency-Key before it was done.
func NewInProgress(cause error) *Error {
	fault := New(Conflict, "A request with this Idempotency-Key is still being processed.", cause)
	fault.RetryAfter = time.Second
	return fault
}

// NewTooManyRequests returns a fault for a caller that must wait.
func NewTooManyRequests(retryAfter time.Duration) *Error {
	seconds := int(math.Ceil(retryAfter.Seconds()))
	fault := New(TooManyRequests, fmt.Sprintf("Request was throttled. Expected available in %d seconds.", seconds), nil)
	fault.RetryAfter = retryAfter
	return fault
}

// NewTimeout returns a fault for a part that did not answer within its time.
func NewTimeout(cause error) *Error {
	return New(Timeout, "The service did not answer in time.", cause)
}

// NewInternal returns a fault of ours. The detail is always the same, so that no cause can leak into it.
func NewInternal(cause error) *Error {
	return New(Internal, "A server error occurred.", cause)
}

// WithHeader returns a copy of the fault that asks for an HTTP header in the answer.
func (e *Error) WithHeader(name, value string) *Error {
	copied := *e
	copied.Headers = maps.Clone(e.Headers)
	if copied.Headers == nil {
		copied.Headers = map[string]string{}
	}
	copied.Headers[name] = value
	return &copied
}

// Error gives the text for the log: code, detail and cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Detail)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.cause }

// Of returns the fault in err's chain; any other error is ours and becomes Internal with err as its cause. It returns
// nil for nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*Error](err); ok {
		return fault
	}
	return NewInternal(err)
}

// Is reports whether err is a fault with this code.
func Is(err error, code Code) bool {
	fault, ok := errors.AsType[*Error](err)
	return ok && fault.Code == code
}
