package httpx_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

func TestAServiceAnswersAtOnceAndAsksTheGatewayToPause(t *testing.T) {
	t.Parallel()
	routes := func(app *fiber.App) {
		app.Get("/:answer", func(c *fiber.Ctx) error {
			if c.Params("answer") != "unpaused" {
				httpx.Pause(c.UserContext(), 10*time.Hour+time.Nanosecond)
			}
			if c.Params("answer") == "refused" {
				return fault.NewTooManyRequests(time.Second)
			}
			return nil
		})
	}
	service := start(t, func(options *httpx.Options) { options.TrustRequestID = true }, routes)
	for path, want := range map[string]string{"/paused": "10h0m0.000000001s", "/refused": "10h0m0.000000001s", "/unpaused": ""} {
		require.Equal(t, want, service.do(t, http.MethodGet, path, "").header.Get(httpx.HeaderPause), path)
	}
	gateway := start(t, nil, routes)
	require.NotContains(t, gateway.do(t, http.MethodGet, "/unpaused", "").header, httpx.HeaderPause)
}

func TestWhoeverPausesOutsideOfARequestWaitsItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		httpx.Pause(t.Context(), time.Second)
		require.Equal(t, time.Second, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		httpx.Pause(ctx, time.Hour)
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}
