package assertion_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/authn/assertion"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// newApp answers with the member's id on /public and /private, and with the code of a fault as its text.
func newApp() *fiber.App {
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.SendString(string(fault.Of(err).Code))
	}})
	app.Use(httpx.RequirePrincipal(verifier(moment)))
	who := func(c *fiber.Ctx) error {
		return c.SendString(strconv.FormatUint(authn.From(c.UserContext()).MemberID, 10))
	}
	app.Get("/public", who)
	app.Get("/private", httpx.RequireMember, who)
	return app
}

func TestRoutesAreClosedToRequestsThatDidNotComeThroughTheGateway(t *testing.T) {
	t.Parallel()
	app := newApp()
	const refused = string(fault.Unauthenticated)
	for _, test := range []struct{ path, header, want string }{
		{"/public", "", refused},
		{"/public", "7", refused},
		{"/public", sign(t, gatewayKey, member, "accounts"), refused},
		{"/public", sign(t, gatewayKey, authn.Principal{}, "orders"), "0"},
		{"/public", sign(t, gatewayKey, member, "orders"), "7"},
		{"/private", "", refused},
		{"/private", sign(t, gatewayKey, authn.Principal{}, "orders"), refused},
		{"/private", sign(t, gatewayKey, member, "orders"), "7"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
		if test.header != "" {
			request.Header.Set(assertion.Header, test.header)
		}
		response, err := app.Test(request)
		require.NoError(t, err)
		body := make([]byte, 64)
		count, _ := response.Body.Read(body)
		require.NoError(t, response.Body.Close())
		require.Equal(t, test.want, string(body[:count]), "%+v", test)
	}
}
