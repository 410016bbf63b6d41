package httpx

import (
	"bytes"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/fault"
)

// A client that sends "Expect: 100-continue" sends its body only after the server has said that it wants it. RFC 9110,
// section 10.1.1, lets the server answer at once instead if the head is enough to refuse the request. So the handlers run
// for the head alone first, up to the end of what Options.Decide says; then the body is asked for, and they run again, but
// without what was decided (decideOnce).

const continueExpectation = "100-continue"

// The marks of a request whose body has not been asked for.
type (
	headOnlyKey   struct{} // the handlers run for the head alone
	awaitsBodyKey struct{} // they have decided to ask for the body
	decidedKey    struct{} // Options.Decide and all before it have been asked
)

// errAwaitsBody ends the handlers of a request whose head is not refused.
var errAwaitsBody = errors.New("the body has not been asked for")

// decideBeforeBody returns 100 if the body is wanted, and the status of the final answer otherwise. It calls the handlers
// through the server, so that it leaves out none that was added after these hooks, as Serve does.
func (h *hooks) decideBeforeBody(request *fasthttp.RequestCtx) int {
	header := &request.Request.Header
	switch {
	case !expectsContinue(header):
		refuseWith(request, fault.New(fault.ExpectationFailed, "The only expectation that can be met is 100-continue.", nil))
		h.server.ErrorHandler(request, errors.New("unknown expectation"))
	case header.ContentLength() > BodyLimit:
		h.server.ErrorHandler(request, fasthttp.ErrBodyTooLarge)
	default:
		request.SetUserValue(headOnlyKey{}, true)
		h.server.Handler(request)
		request.RemoveUserValue(headOnlyKey{})
		if awaitsBody(request) {
			request.RemoveUserValue(awaitsBodyKey{})
			conn := connOf(request)
			err := conn.arrival.take(conn.incoming.count + header.ContentLength())
			if err == nil {
				return fasthttp.StatusContinue
			}
			h.server.ErrorHandler(request, err)
		}
	}
	// The client may send its body without waiting for the answer.
	connOf(request).lingers = true
	return request.Response.StatusCode()
}

func awaitsBody(request *fasthttp.RequestCtx) bool { return request.UserValue(awaitsBodyKey{}) != nil }

// decideOnce asks the checks one after the other, once for each request, and goes on if there is a body to go on with.
func decideOnce(checks []fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Locals(decidedKey{}) == nil {
			for _, check := range checks {
				if err := check(c); err != nil {
					return err
				}
			}
			c.Locals(decidedKey{}, true)
		}
		if c.Locals(headOnlyKey{}) != nil {
			c.Locals(awaitsBodyKey{}, true)
			return errAwaitsBody
		}
		return c.Next()
	}
}

// showExpectation makes fasthttp call the ExpectHandler for any expectation. It knows one only, and would read the body of
// a request with another, which the client may never send.
func showExpectation(header *fasthttp.RequestHeader) {
	if len(expectations(header)) > 0 {
		header.Set(fiber.HeaderExpect, continueExpectation)
	}
}

// expectsContinue reports whether the client expects nothing but to be told when to continue.
func expectsContinue(header *fasthttp.RequestHeader) bool {
	for _, expectation := range expectations(header) {
		if !strings.EqualFold(expectation, continueExpectation) {
			return false
		}
	}
	return true
}

// expectations are those that the client wrote.
func expectations(header *fasthttp.RequestHeader) (found []string) {
	if len(header.PeekAll(fiber.HeaderExpect)) == 0 {
		return nil
	}
	for line := range bytes.Lines(header.RawHeaders()) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(name, []byte(fiber.HeaderExpect)) {
			continue
		}
		for expectation := range strings.SplitSeq(string(value), ",") {
			if expectation = strings.TrimSpace(expectation); expectation != "" {
				found = append(found, expectation)
			}
		}
	}
	return found
}
