package httpx

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/pace"
)

// HeaderPause is in an answer of a service that the client shall get only after a while, such as 970ms.
const HeaderPause = "Oms-Pause"

type pauseKey struct{}

// Pause is for services: it has the client wait for its answer. The service answers at once, and the gateway holds the answer back. So
// waiting takes the client's own connection, and neither a place in the service nor one of the gateway's connections to it, which all
// clients share. Where ctx is not that of a request, Pause waits itself, until ctx ends at the latest.
func Pause(ctx context.Context, while time.Duration) {
	if pause, ok := ctx.Value(pauseKey{}).(*time.Duration); ok {
		*pause = while
		return
	}
	_ = pace.Wait(ctx, while)
}

// pausable returns a context with which Pause notes how long the client shall wait.
func pausable(ctx context.Context) (_ context.Context, pause *time.Duration) {
	pause = new(time.Duration)
	return context.WithValue(ctx, pauseKey{}, pause), pause
}

// tellPause tells the gateway how long to hold the answer back. The pause is not rounded: it is what remains of a fixed time after the work, so
// the client sees the fixed time and not how long the work took.
func tellPause(c *fiber.Ctx, pause time.Duration) {
	if pause > 0 {
		c.Set(HeaderPause, pause.String())
	}
}
