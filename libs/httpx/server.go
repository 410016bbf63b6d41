package httpx

import (
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/fault"
)

// Fiber sees only requests that could be read whole. What concerns every request and every answer is therefore put around
// Fiber, on fasthttp's server, in this one place.
type around struct {
	server  *fasthttp.Server
	bodies  *room
	options Options
}

// refusalKey marks a request that is refused, with the fault that Fiber cannot tell from fasthttp's error.
type refusalKey struct{}

// put sets the server's hooks. They call each other through the server, so that a later wrapper is not left out.
func (a *around) put() {
	handle, refuse := a.server.Handler, a.server.ErrorHandler
	a.server.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		showExpectation(header)
		return a.bodies.announced(header)
	}
	a.server.ExpectHandler = a.decideBeforeBody
	a.server.Handler = func(request *fasthttp.RequestCtx) {
		acceptAnyMethod(request)
		defer func() {
			if !awaitsBody(request) {
				a.bodies.leave(&request.Request.Header)
			}
		}()
		handle(request)
		if !awaitsBody(request) {
			a.complete(request)
		}
	}
	a.server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		conn := connOf(request)
		conn.lingers = true
		_, conn.headIsCut = errors.AsType[*fasthttp.ErrSmallBuffer](err)
		if held := a.bodies.leave(&request.Request.Header); errors.Is(err, fasthttp.ErrBodyTooLarge) && !held && a.fits(request) {
			refuseWith(request, fault.NewUnavailable(errors.New("too many large bodies are on their way")))
		}
		if a.options.Unreadable != nil {
			a.options.Unreadable(request)
		}
		refuse(request, err)
		a.complete(request)
	}
}

// complete sees each answer before it is written.
func (a *around) complete(request *fasthttp.RequestCtx) {
	if a.options.EveryAnswer != nil {
		a.options.EveryAnswer(request)
	}
	conn := connOf(request)
	conn.incoming.answered()
	if request.Response.StatusCode() >= fiber.StatusBadRequest && request.Response.ConnectionClose() {
		conn.lingers = true
	}
}

// fits reports whether the body that a request announces is within the limit. fasthttp has emptied the header of a request
// with chunks by the time of an error, and then knows no length of it.
func (a *around) fits(request *fasthttp.RequestCtx) bool {
	return request.Request.Header.ContentLength() <= BodyLimit
}

// refuseWith has asFault return failure for this request.
func refuseWith(request *fasthttp.RequestCtx, failure *fault.Error) {
	request.SetUserValue(refusalKey{}, failure)
}

// refusedWith returns the fault of refuseWith, or nil.
func refusedWith(c *fiber.Ctx) *fault.Error {
	failure, _ := c.Locals(refusalKey{}).(*fault.Error)
	return failure
}
