package httpx

import (
	"errors"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/fairshare"
	"oms.internal/libs/fault"
)

// hooks is what concerns every request and every answer. Fiber sees only requests that could be read whole, so the hooks are
// those of fasthttp's server, all in this one place.
type hooks struct {
	server   *fasthttp.Server
	arriving *fairshare.Places[Client]
	options  Options
}

// refusalKey marks a request that is refused, with the fault that Fiber cannot tell from fasthttp's error.
type refusalKey struct{}

// install wraps what Fiber has set.
func (h *hooks) install() {
	handle, refuse := h.server.Handler, h.server.ErrorHandler
	h.server.ConnState = h.welcome
	h.server.HeaderReceived = func(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
		showExpectation(header)
		return fasthttp.RequestConfig{}
	}
	h.server.ExpectHandler = h.decideBeforeBody
	h.server.Handler = func(request *fasthttp.RequestCtx) {
		acceptAnyMethod(request)
		conn := connOf(request)
		conn.arrival.arrived(&request.Request, conn.incoming.count)
		handle(request)
		if !awaitsBody(request) {
			h.complete(request)
		}
	}
	h.server.ErrorHandler = func(request *fasthttp.RequestCtx, err error) {
		conn := connOf(request)
		conn.lingers = true
		_, conn.headIsCut = errors.AsType[*fasthttp.ErrSmallBuffer](err)
		if conn.arrival.refusal != nil {
			refuseWith(request, fault.Of(conn.arrival.refusal))
		}
		if h.options.Unreadable != nil {
			h.options.Unreadable(request)
		}
		refuse(request, err)
		h.complete(request)
	}
}

// welcome tells a new connection whose share it counts for.
func (h *hooks) welcome(conn net.Conn, state fasthttp.ConnState) {
	strict, ok := conn.(interface{ strict() *strictConn })
	if !ok || state != fasthttp.StateNew {
		return
	}
	client := Client{Many: true}
	if h.options.Client != nil {
		client = h.options.Client(conn.RemoteAddr())
	}
	h.share(&strict.strict().arrival, client, conn)
	if encrypted, ok := conn.(strictTLSConn); ok {
		below := encrypted.encrypted.below
		h.share(&below.arrival, client, below.Conn)
	}
}

// share has what arrives on a connection come from the share of its client.
func (h *hooks) share(arrival *arrival, client Client, conn net.Conn) {
	arrival.places, arrival.now, arrival.client, arrival.conn = h.arriving, h.options.Now, client, conn
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

// refuseWith has asFault return failure for this request.
func refuseWith(request *fasthttp.RequestCtx, failure *fault.Error) {
	request.SetUserValue(refusalKey{}, failure)
}

// refusedWith returns the fault of refuseWith, or nil.
func refusedWith(c *fiber.Ctx) *fault.Error {
	failure, _ := c.Locals(refusalKey{}).(*fault.Error)
	return failure
}
