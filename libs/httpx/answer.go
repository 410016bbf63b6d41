package httpx

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

var statuses = map[fault.Code]int{
	fault.Malformed:            http.StatusBadRequest,
	fault.Invalid:              http.StatusBadRequest,
	fault.Unauthenticated:      http.StatusUnauthorized,
	fault.Forbidden:            http.StatusForbidden,
	fault.NotFound:             http.StatusNotFound,
	fault.MethodNotAllowed:     http.StatusMethodNotAllowed,
	fault.TooLarge:             http.StatusRequestEntityTooLarge,
	fault.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	fault.ExpectationFailed:    http.StatusExpectationFailed,
	fault.Conflict:             http.StatusConflict,
	fault.PreconditionFailed:   http.StatusPreconditionFailed,
	fault.KeyReused:            http.StatusUnprocessableEntity,
	fault.TooManyRequests:      http.StatusTooManyRequests,
	fault.Internal:             http.StatusInternalServerError,
	fault.Unavailable:          http.StatusServiceUnavailable,
	fault.Timeout:              http.StatusGatewayTimeout,
	fault.OutcomeUnknown:       http.StatusServiceUnavailable,
}

// AnswerFault writes err as application/problem+json (RFC 9457). The extra members are those that a client of Django
// REST Framework reads: detail, and one array of messages per refused field at the top level. Faults of ours also carry
// the request id, under which the log has the cause.
func AnswerFault(c *fiber.Ctx, err error) error {
	failure := asFault(c, err)
	status, known := statuses[failure.Code]
	if !known {
		failure, status = fault.NewInternal(err), http.StatusInternalServerError
	}
	body := map[string]any{
		"type":   "urn:oms:fault:" + string(failure.Code),
		"title":  http.StatusText(status),
		"status": status,
		"detail": failure.Detail,
	}
	for name, messages := range failure.Fields {
		body[name] = messages
	}
	id := requestid.From(c.UserContext())
	if id == "" {
		// The request was refused before any handler ran.
		id = requestid.New()
		c.Set(requestid.Header, id)
	}
	if status >= http.StatusInternalServerError {
		body["request_id"] = id
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for name, value := range failure.Headers {
		c.Set(name, value)
	}
	if failure.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(failure.RetryAfter.Seconds()))))
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(status).Send(encoded)
}

// asFault turns what Fiber and fasthttp report about a request that never reached a handler into a fault.
func asFault(c *fiber.Ctx, err error) *fault.Error {
	if failure := refusedWith(c); failure != nil {
		return failure
	}
	refused, ok := errors.AsType[*fiber.Error](err)
	if !ok {
		return fault.Of(err)
	}
	switch refused.Code {
	case fiber.StatusNotFound:
		return fault.NewNotFound()
	case fiber.StatusMethodNotAllowed:
		return fault.New(fault.MethodNotAllowed, fmt.Sprintf("Method %q not allowed.", Method(c)), nil)
	case fiber.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "The body is larger than "+strconv.Itoa(BodyLimit)+" bytes.", nil)
	}
	if refused.Code >= fiber.StatusInternalServerError && refused.Code != fiber.StatusBadGateway {
		return fault.NewInternal(err)
	}
	return fault.New(fault.Malformed, "The request could not be read.", err)
}

// AnswerJSON writes value with the given status.
func AnswerJSON(c *fiber.Ctx, status int, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(status).Send(encoded)
}
