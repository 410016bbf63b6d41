package httpx_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/httpx"
)

func TestOnlyTheNumberOfAPossibleRowIsAnID(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/users/:id", func(c *fiber.Ctx) error {
			id, err := httpx.ID(c)
			if err != nil {
				return err
			}
			return c.SendString(strconv.FormatUint(id, 10))
		})
	})
	for id, want := range map[string]string{
		"1": "1", "007": "7", "9223372036854775807": "9223372036854775807",
		"0": "", "-1": "", "+1": "", "1.0": "", "1e3": "", "abc": "", "0x1": "", "1_0": "", "9223372036854775808": "", "%EF%BC%91": "",
	} {
		got := server.do(t, http.MethodGet, "/users/"+id, "")
		if want == "" {
			require.Equal(t, http.StatusNotFound, got.status, id)
			require.Equal(t, "Not found.", got.problem(t)["detail"], id)
			continue
		}
		require.Equal(t, want, got.body, id)
	}
}

func TestLinksAreMadeOfTheURLThatTheClientAskedFor(t *testing.T) {
	t.Parallel()
	server := start(t, nil, func(app *fiber.App) {
		app.Get("/orders/", func(c *fiber.Ctx) error {
			httpx.SetLocation(c, "/orders/12")
			return c.SendString(httpx.RequestedURL(c).String())
		})
	})
	const target = "/orders/?limit=2&search=%EA%BC%AC"
	require.Equal(t, "http://"+server.addr+target, server.do(t, http.MethodGet, target, "").body)
	require.Equal(t, "https://shop.test:8443"+target, server.do(t, http.MethodGet, target, "",
		httpx.HeaderForwardedHost, "shop.test:8443", httpx.HeaderForwardedProto, "https").body)
	require.Equal(t, "http://shop.test"+target, server.do(t, http.MethodGet, target, "",
		httpx.HeaderForwardedHost, "shop.test", httpx.HeaderForwardedProto, "javascript").body)
	behind := server.do(t, http.MethodGet, target, "",
		httpx.HeaderForwardedHost, "shop.test", httpx.HeaderForwardedProto, "https", httpx.HeaderForwardedPrefix, "/api/v1")
	require.Equal(t, "https://shop.test/api/v1"+target, behind.body)
	require.Equal(t, "/api/v1/orders/12", behind.header.Get("Location"))
	require.Equal(t, "/orders/12", server.do(t, http.MethodGet, target, "").header.Get("Location"))
}
