package httpx

import (
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/fault"
)

// hooks is what concerns every request and every answer. Fiber sees only requests that could be read whole, so the hooks are
// those of fasthttp's server, all in this one place.
type hooks struct {
	server  *fasthttp.Server
	bodies  *room
	options Options
}

// refusalKey marks a request that is refused, with the fault that Fiber cannot tell from fasthttp's error.
type refusalKey struct{}

// install wraps what Fiber has set.
func (h *hooks) install() {
	handle, refuse := h.server.Handler, h.server.ErrorHandler
	h.server.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		showExpectation(header)
		return h.bodies.announced(header)
	}
	h.server.ExpectHandler = h.decideBeforeBody
	h.server.Handler = func(request *fasthttp.RequestCtx) {
		acceptAnyMethod(request)
		defer func() {
			if !awaitsBody(request) {
				h.bodies.leave(&request.Request.Header)
			}
		}()
		handle(request)
		if !awaitsBody(request) {
			h.complete(request)
		}
	}
	h.server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		conn := connOf(request)
		conn.lingers = true
		_, conn.headIsCut = errors.AsType[*fasthttp.ErrSmallBuffer](err)
		if held := h.bodies.leave(&request.Request.Header); errors.Is(err, fasthttp.ErrBodyTooLarge) && !held && h.fits(request) {
			refuseWith(request, fault.NewUnavailable(errors.New("too many large bodies are on their way")))
		}
		if h.options.Unreadable != nil {
			h.options.Unreadable(request)
		}
		refuse(request, err)
		h.complete(request)
	}
}

// complete is called with each answer before it is written.
func (h *hooks) complete(request *fasthttp.RequestCtx) {
	if h.options.EveryAnswer != nil {
		h.options.EveryAnswer(request)
	}
	conn := connOf(request)
	conn.incoming.answered()
	if request.Response.StatusCode() >= fiber.StatusBadRequest && request.Response.ConnectionClose() {
		conn.lingers = true
	}
}

// fits reports whether the body that a request announces is within the limit. fasthttp has emptied the header of a request
// with chunks by the time of an error, and then knows no length of it.
func (h *hooks) fits(request *fasthttp.RequestCtx) bool {
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
