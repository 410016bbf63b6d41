package httpx_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/consistency"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// consistent starts a server that remembers token 100 of every caller.
func consistent(t *testing.T) *server {
	t.Helper()
	return start(t, nil, func(app *fiber.App) {
		app.Use(httpx.Consistency(func(*fiber.Ctx) consistency.Token { return 100 }))
		app.Get("/after", func(c *fiber.Ctx) error { return c.SendString(consistency.After(c.UserContext()).String()) })
		app.Post("/write", func(c *fiber.Ctx) error {
			// A handler may put a context of its own in the place of the request's.
			ctx, cancel := context.WithCancel(c.UserContext())
			defer cancel()
			c.SetUserContext(ctx)
			consistency.Wrote(ctx, 300)
			return c.SendStatus(http.StatusCreated)
		})
		app.Post("/lost", func(c *fiber.Ctx) error {
			consistency.Wrote(c.UserContext(), 400)
			return fault.New(fault.OutcomeUnknown, "Look.", nil)
		})
		app.Post("/login", func(c *fiber.Ctx) error {
			consistency.Tell(c.UserContext(), 7, 8)
			consistency.Wrote(c.UserContext(), 500)
			return nil
		})
		app.Post("/nothing", func(c *fiber.Ctx) error {
			consistency.Tell(c.UserContext(), 7)
			return nil
		})
	})
}

func TestARequestSeesTheLaterOfWhatItBearsAndWhatIsRemembered(t *testing.T) {
	t.Parallel()
	server := consistent(t)
	for sent, want := range map[string]string{
		"": "100", "99": "100", "200": "200", "garbage": "100", "-5": "100", "9223372036854775807": "9223372036854775807",
		"150\r\nConsistency-Token: 120": "150", "120\r\nConsistency-Token: 150": "150",
	} {
		got := server.raw(t, "GET /after HTTP/1.1\r\nHost: x\r\nConsistency-Token: "+sent+"\r\n\r\n")
		require.Equal(t, want, got.body, sent)
		require.Empty(t, got.header.Get(consistency.Header), "it wrote nothing")
	}
}

func TestAnAnswerBearsTheTokenOfWhatItsRequestWrote(t *testing.T) {
	t.Parallel()
	server := consistent(t)
	got := server.do(t, http.MethodPost, "/write", "", consistency.Header, "9000")
	require.Equal(t, http.StatusCreated, got.status)
	require.Equal(t, "300", got.header.Get(consistency.Header), "the client's own is not told back to it")
	require.NotContains(t, got.header, httpx.HeaderTold)
	got = server.do(t, http.MethodPost, "/lost", "")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Equal(t, "400", got.header.Get(consistency.Header))
	got = server.do(t, http.MethodPost, "/login", "")
	require.Equal(t, "500", got.header.Get(consistency.Header))
	require.Equal(t, "7,8", got.header.Get(httpx.HeaderTold))
	require.NotContains(t, server.do(t, http.MethodPost, "/nothing", "").header, httpx.HeaderTold)
}
