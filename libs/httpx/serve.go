package httpx

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// HeaderDraining is in the answers of a service that is about to end, so that the gateway asks another instance.
const HeaderDraining = "Oms-Draining"

// Drain says how a server ends.
type Drain struct {
	// Time is how long the server still accepts requests after it was asked to end. Each answer then closes its connection,
	// so that a client learns of the end from an answer and not from a request that is lost.
	Time time.Duration
	// Tell adds HeaderDraining to these answers.
	Tell bool
}

// Serve serves the app on listener until ctx ends, drains, and then waits for the requests that have begun.
func Serve(ctx context.Context, app *fiber.App, listener net.Listener, drain Drain) error {
	failed := make(chan error, 1)
	var draining atomic.Bool
	sayGoodbye(app.Server(), &draining, drain.Tell)
	go func() { failed <- app.Listener(strictListener{listener}) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	draining.Store(true)
	select {
	case err := <-failed:
		return err
	case <-time.After(drain.Time):
	}
	err := app.Shutdown()
	// Shutdown does nothing about a listener that Fiber has not come to yet.
	_ = listener.Close()
	return errors.Join(err, <-failed)
}

// sayGoodbye makes every answer close its connection while the server drains. It looks once the answer is ready, because a
// request may have begun before the server drained.
func sayGoodbye(server *fasthttp.Server, draining *atomic.Bool, tell bool) {
	next := server.Handler
	server.Handler = func(request *fasthttp.RequestCtx) {
		next(request)
		if !draining.Load() {
			return
		}
		request.SetConnectionClose()
		if tell {
			request.Response.Header.Set(HeaderDraining, "1")
		}
	}
}
