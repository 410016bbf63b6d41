package httpx

import (
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// otherMethod stands for every method that Fiber does not know. Fiber would answer such requests by itself, in plain text and
// without any middleware. Under this name they reach the routes as all others do, and the metrics have one label for them.
const otherMethod = "OTHER"

type methodKey struct{}

func acceptAnyMethod(request *fasthttp.RequestCtx) {
	method := string(request.Method())
	if slices.Contains(fiber.DefaultMethods, method) || request.UserValue(methodKey{}) != nil {
		return
	}
	request.SetUserValue(methodKey{}, method)
	request.Request.Header.SetMethod(otherMethod)
}

// Method returns the method that the client sent. It differs from c.Method for those that Fiber does not know.
func Method(c *fiber.Ctx) string {
	if method, ok := c.Locals(methodKey{}).(string); ok {
		return method
	}
	return c.Method()
}
