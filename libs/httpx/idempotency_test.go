package httpx_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

func keyOf(t *testing.T, lines ...string) (key string, err error) {
	t.Helper()
	app := fiber.New()
	app.Post("/", func(c *fiber.Ctx) error {
		key, err = httpx.IdempotencyKey(c)
		key = strings.Clone(key)
		return nil
	})
	request, newErr := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/", nil)
	require.NoError(t, newErr)
	request.Header[httpx.HeaderIdempotencyKey] = lines
	response, testErr := app.Test(request)
	require.NoError(t, testErr)
	require.NoError(t, response.Body.Close())
	return key, err
}

func TestAnIdempotencyKeyIsVisibleASCII(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"a", "!~", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, strings.Repeat("x", 255)} {
		key, err := keyOf(t, given)
		require.NoError(t, err)
		require.Equal(t, given, key)
	}
	key, err := keyOf(t)
	require.NoError(t, err)
	require.Empty(t, key)
}

func TestAnIdempotencyKeyThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, lines := range [][]string{
		{""}, {" "}, {"a b"}, {"a\tb"}, {"é"}, {strings.Repeat("x", 256)}, {"a", "a"}, {"a", ""}, {"", "a"},
	} {
		_, err := keyOf(t, lines...)
		require.True(t, fault.Is(err, fault.Malformed), "%q: %v", lines, err)
	}
}
