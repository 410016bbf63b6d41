package httpx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"oms.internal/libs/fault"
	"oms.internal/libs/requestid"
)

// observe gives the request its id and deadline, and writes the access log line and the metrics once it is answered.
func observe(options Options, refusals *refusals) fiber.Handler {
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
		pause := new(time.Duration)
		if options.TrustRequestID {
			ctx, pause = pausable(ctx)
		}
		c.SetUserContext(ctx)
		err := c.Next()
		if errors.Is(err, errAwaitsBody) {
			return nil // the request is not answered yet
		}
		if err != nil {
			// Answered here and not by Fiber, so that the log line below knows the status.
			if answerErr := AnswerFault(c, err); answerErr != nil {
				return answerErr
			}
		}
		c.Set(requestid.Header, id)
		if options.TrustRequestID {
			tellReason(c, err)
			tellPause(c, *pause)
		}
		status := c.Response().StatusCode()
		route := routeLabel(c, status)
		durations.WithLabelValues(c.Method(), route, strconv.Itoa(status)).Observe(time.Since(began).Seconds())
		if reason, refused := refusalOfRequest(c, err); refused {
			refusals.note(ctx, refusal{c.Method(), route, status, reason})
		} else {
			logRequest(ctx, c, options.Log, began, err)
		}
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
	case reasonOf(c) != "":
		level, attrs = slog.LevelWarn, append(attrs, slog.String("reason", reasonOf(c)))
	case fault.Is(err, fault.Unauthenticated):
		// The client is told the same whatever is wrong with its token; who runs the system must be able to find out. A token may name
		// things itself, such as its key, so the text is bounded.
		attrs = append(attrs, slog.String("reason", headerText(err.Error())))
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
