// Package httpx is the HTTP server that every process here has: limits, deadlines, request ids, access log, metrics, and
// the one mapping of faults to answers. It also holds the middleware that needs a library below it: who the caller is, and
// what the caller must see.
//
// It knows no route.
package httpx

import (
	"cmp"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"
)

// Limits of one request.
const (
	BodyLimit    = 64 << 10 // bytes
	headerLimit  = 16 << 10 // bytes, all headers together
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	idleTimeout  = 75 * time.Second
	// spareConnections keeps fasthttp from answering by itself when a listener that bounds the connections (MaxConnections)
	// lets one in before fasthttp has noticed the end of another, and room for those that are refused with an answer.
	spareConnections = 100
)

// MaxConnections is how many connections a server serves at the same time. One on which a request is arriving takes up to
// 28 KiB, so that all together stay below 128 MiB, what arrives (body.go) included.
const MaxConnections = 2_500

// Options are what a process decides about its server.
type Options struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Timeout is the deadline of a request's context.
	Timeout time.Duration
	// TrustRequestID takes the request id from the header: true behind the gateway, false in the gateway itself.
	TrustRequestID bool
	// First sees every request that could be read, before anything in it is looked at, and may refuse it.
	First []fiber.Handler
	// Decide sees the requests that are read alike by every server, and may refuse them for what their heads say: a client
	// that waits for a word before it sends its body hears of it at once. First and Decide must not call Next, nor look at
	// the body. They are called once for each request.
	Decide []fiber.Handler
	// Unreadable is told of each request that could not be read, so that it passes no handler.
	Unreadable func(*fasthttp.RequestCtx)
	// EveryAnswer may add headers to each answer, whoever has made it, before it is written.
	EveryAnswer func(*fasthttp.RequestCtx)
	// Client says who is at the other end of a connection from an address. If nil, each stands for many, as the gateway does for
	// a service.
	Client func(net.Addr) Client
	// Now is the clock by which clients are waited for; time.Now if nil.
	Now func() time.Time
	// ReadTimeout is how long a request may take to arrive, from its first byte to its last; 10 s if 0.
	ReadTimeout time.Duration
}

// New returns an app without routes. Strings that handlers get stay valid after the handler returns (Immutable).
func New(options Options) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                      "oms",
		Immutable:                    true,
		BodyLimit:                    BodyLimit,
		ReadBufferSize:               headerLimit,
		ReadTimeout:                  cmp.Or(options.ReadTimeout, readTimeout),
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		Concurrency:                  MaxConnections + spareConnections,
		ErrorHandler:                 AnswerFault,
		DisableStartupMessage:        true,
		DisableDefaultContentType:    true,
		DisablePreParseMultipartForm: true,
		// Idle connections give their buffers back, which halves what a thousand of them take. A connection on which
		// nothing was ever asked is closed in silence; else fasthttp would answer 400 to a request that is just coming.
		ReduceMemoryUsage: true,
		RequestMethods:    append(slices.Clone(fiber.DefaultMethods), otherMethod),
	})
	if options.Now == nil {
		options.Now = time.Now
	}
	hooks := &hooks{server: app.Server(), arriving: newArriving(options.Now), options: options}
	options.Metrics.MustRegister(hooks.arriving.Collectors()...)
	hooks.install()
	refusals := newRefusals(options.Log)
	app.Hooks().OnShutdown(refusals.end)
	app.Use(observe(options, refusals), recoverPanic(options.Log), decideOnce(slices.Concat(
		options.First,
		[]fiber.Handler{refuseConnection, refuseAmbiguous, checkText, refuseEncoded},
		options.Decide,
	)))
	return app
}
