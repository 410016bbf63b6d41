package cors

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
)

const page = "https://shop.test"

// ask asks an app that answers OPTIONS as the gateway does.
func ask(t *testing.T, allowed, method, origin, requested string) http.Header {
	t.Helper()
	var origins Origins
	require.NoError(t, origins.UnmarshalText([]byte(allowed)))
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(origins.Handle, func(c *fiber.Ctx) error {
		if c.Path() != "/orders/" {
			return fiber.ErrNotFound
		}
		c.Set("Allow", "GET, HEAD, OPTIONS, POST")
		return c.SendStatus(http.StatusNoContent)
	})
	request := httptest.NewRequestWithContext(t.Context(), method, "/orders/", nil)
	request.Header.Set("Origin", origin)
	if requested != "" {
		request.Header.Set("Access-Control-Request-Method", requested)
	}
	response, err := app.Test(request, -1)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.Header
}

func TestNoPageMayUseTheAPIUnlessItIsAllowed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ allowed, origin string }{
		"closed":         {"", page},
		"another page":   {page, "https://evil.test"},
		"another scheme": {page, "http://shop.test"},
		"another port":   {page, "https://shop.test:8443"},
		"a longer name":  {page, "https://shop.test.evil.test"},
		"a subdomain":    {page, "https://a.shop.test"},
		"null":           {page, "null"},
		"no origin":      {page, ""},
	} {
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			header := ask(t, test.allowed, method, test.origin, "POST")
			require.NotContains(t, header, "Access-Control-Allow-Origin", name)
			require.NotContains(t, header, "Access-Control-Allow-Methods", name)
			require.Equal(t, test.allowed != "", header.Get("Vary") == "Origin", name)
		}
	}
}

func TestAllowedPageReadsAnswersAndLearnsWhatItMaySend(t *testing.T) {
	t.Parallel()
	const allowed = "https://admin.test:8443, " + page
	header := ask(t, allowed, http.MethodGet, page, "")
	require.Equal(t, page, header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "Origin", header.Get("Vary"))
	for _, name := range []string{
		"Location", "Degraded", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id",
		"ETag", "Consistency-Token", "Idempotency-Replayed",
	} {
		require.Contains(t, header.Get("Access-Control-Expose-Headers"), name)
	}
	require.NotContains(t, header, "Access-Control-Allow-Methods", "that is for a preflight")
	require.NotContains(t, header, "Access-Control-Allow-Credentials")

	preflight := ask(t, allowed, http.MethodOptions, page, "POST")
	require.Equal(t, "GET, HEAD, OPTIONS, POST", preflight.Get("Access-Control-Allow-Methods"))
	for _, name := range []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "Consistency-Token"} {
		require.Contains(t, preflight.Get("Access-Control-Allow-Headers"), name)
	}
	require.Equal(t, "600", preflight.Get("Access-Control-Max-Age"))
}

func TestAsteriskAllowsEveryPageWithoutCredentials(t *testing.T) {
	t.Parallel()
	header := ask(t, "*", http.MethodGet, "https://any.test", "")
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	require.NotContains(t, header, "Access-Control-Allow-Credentials")
}

func TestWrongOriginsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"shop.test", "ftp://shop.test", "https://", "https://shop.test/", "https://shop.test/a", "https://SHOP.test", "null",
		"https://*.shop.test", "https://shop.test,", "*,https://shop.test", "https://u@shop.test", "https://shop.test?a", "https://a b",
	} {
		var origins Origins
		require.Error(t, origins.UnmarshalText([]byte(text)), text)
	}
}
