package httpx

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn/assertion"
)

// PathReady is where a service tells the gateway whether it can serve. Clients cannot ask, because the gateway's table of routes does
// not have the path.
const PathReady = "/internal/ready"

// TellReady adds the route of PathReady: 204 while ready returns nil, else 503. What is missing is not told, because the page that
// shows it is public. The service logs it elsewhere.
func TellReady(app *fiber.App, verifier *assertion.Verifier, ready func() error) {
	app.Get(PathReady, LogFailuresOnly, RequirePrincipal(verifier), func(c *fiber.Ctx) error {
		if ready() != nil {
			return c.SendStatus(fiber.StatusServiceUnavailable)
		}
		return c.SendStatus(fiber.StatusNoContent)
	})
}
