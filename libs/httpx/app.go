// Package httpx is the HTTP server that every process here has: limits, deadlines, request ids, access log, metrics, and
// the one mapping of faults to answers. It also holds the middleware that needs a library below it: who the caller is, and
// what the caller must see.
//
// It knows no route.
package httpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

// Limits of one request.
const (
	BodyLimit    = 64 << 10 // bytes
	headerLimit  = 16 << 10 // bytes, all headers together
	readTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second
	idleTimeout  = 75 * time.Second
	// spareConnections keeps fasthttp from answering by itself when a listener that bounds the connections (MaxConnections)
	// lets one in before fasthttp has noticed the end of another.
	spareConnections = 100
)

// MaxConnections is how many connections a server serves at the same time. One on which a request is arriving takes up to
// 28 KiB, so that all together stay below 128 MiB, large bodies (body.go) included.
const MaxConnections = 2_500

// Options are what a process decides about its server.
type Options struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Timeout is the deadline of a request's context.
	Timeout time.Duration
	// TrustRequestID takes the request id from the header: true behind the gateway, false in the gateway itself.
	TrustRequestID bool
	// First sees every request that could be read, before anything in it is looked at.
	First []fiber.Handler
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
	acceptAnyMethod(app.Server())
	boundBodies(app.Server(), cmp.Or(options.ReadTimeout, readTimeout)+options.Timeout+writeTimeout)
	app.Use(observe(options), recoverPanic(options.Log))
	for _, handler := range options.First {
		app.Use(handler)
	}
	app.Use(refuseAmbiguous, checkText, refuseEncoded)
	return app
}

// observe gives the request its id and deadline, and writes the access log line and the metrics once it is answered.
func observe(options Options) fiber.Handler {
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Time from the last byte of a request to its answer.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 9),
	}, []string{"method", "route", "status"})
	options.Metrics.MustRegister(durations)
	return func(c *fiber.Ctx) error {
		began := time.Now()
		id := c.Get(requestid.Header)
		if !options.TrustRequestID || !requestid.Valid(id) {
			id = requestid.New()
		}
		ctx, cancel := context.WithTimeout(requestid.Into(context.Background(), id), options.Timeout)
		defer cancel()
		c.SetUserContext(ctx)
		err := c.Next()
		if err != nil {
			// Answered here and not by Fiber, so that the log line below knows the status.
			if answerErr := AnswerFault(c, err); answerErr != nil {
				return answerErr
			}
		}
		c.Set(requestid.Header, id)
		status := c.Response().StatusCode()
		route := routeLabel(c, status)
		durations.WithLabelValues(c.Method(), route, strconv.Itoa(status)).Observe(time.Since(began).Seconds())
		logRequest(ctx, c, options.Log, began, err)
		return nil
	}
}

type routeKey struct{}

// SetRoute names the route of a request in the metrics, for a process that does not route by Fiber's router. It must be
// one of a few patterns, never the path.
func SetRoute(c *fiber.Ctx, pattern string) { c.Locals(routeKey{}, pattern) }

// routeLabel is the pattern of the matched route; unmatched paths share one label, or anyone could fill the memory.
func routeLabel(c *fiber.Ctx, status int) string {
	if pattern, ok := c.Locals(routeKey{}).(string); ok {
		return pattern
	}
	if status == fiber.StatusNotFound && c.Route().Path == "/" {
		return "unmatched"
	}
	return c.Route().Path
}

type failuresOnlyKey struct{}

// LogFailuresOnly is for routes that other processes ask many times a second: of their requests only those that fail are
// logged at the level Info, the others at Debug.
func LogFailuresOnly(c *fiber.Ctx) error {
	c.Locals(failuresOnlyKey{}, true)
	return c.Next()
}

func logRequest(ctx context.Context, c *fiber.Ctx, log *slog.Logger, began time.Time, err error) {
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("method", Method(c)),
		slog.String("path", c.Path()),
		slog.Int("status", c.Response().StatusCode()),
		slog.Duration("duration", time.Since(began)),
	}
	switch {
	case err != nil && c.Response().StatusCode() >= fiber.StatusInternalServerError:
		level, attrs = slog.LevelError, append(attrs, slog.String("error", err.Error()))
	case err == nil && c.Locals(failuresOnlyKey{}) != nil:
		level = slog.LevelDebug
	}
	log.LogAttrs(ctx, level, "request", attrs...)
}

func recoverPanic(log *slog.Logger) fiber.Handler {
	return func(c *fiber.Ctx) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				log.ErrorContext(c.UserContext(), "panic", "cause", cause, "stack", string(debug.Stack()))
				err = fault.NewInternal(fmt.Errorf("panic: %v", cause))
			}
		}()
		return c.Next()
	}
}

// asFault turns what Fiber and fasthttp report about a request that never reached a handler into a fault.
func asFault(c *fiber.Ctx, err error) *fault.Error {
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
		if conn, ok := c.Context().Conn().(interface{ leaveUnread() }); ok {
			conn.leaveUnread()
		}
		if c.Locals(noRoomKey{}) != nil {
			return fault.NewUnavailable(errors.New("too many large bodies are on their way"))
		}
		return fault.New(fault.TooLarge, "The body is larger than "+strconv.Itoa(BodyLimit)+" bytes.", nil)
	}
	if refused.Code >= fiber.StatusInternalServerError && refused.Code != fiber.StatusBadGateway {
		return fault.NewInternal(err)
	}
	return fault.New(fault.Malformed, "The request could not be read.", err)
}
