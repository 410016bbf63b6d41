package httpx_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"oms.internal/libs/authn"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

func TestWhoAsksForWhatIsNotItsOwnIsToldOfAndNobodyElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		caller uint64
		answer error
		told   []string
	}{
		"what is another member's":             {7, authn.NewHidden(8), []string{"7 8 GET /things/:id"}},
		"what is another member's to do":       {7, authn.NewForbidden(8), []string{"7 8 GET /things/:id"}},
		"what is for others, whoever they are": {7, fault.NewForbidden(), []string{"7 0 GET /things/:id"}},
		"what is missing":                      {7, fault.NewNotFound(), nil},
		"what is its own":                      {7, nil, nil},
		"without a token":                      {0, authn.NewHidden(8), nil},
	} {
		told := make(chan string, 2)
		start(t, nil, func(app *fiber.App) {
			app.Use(func(c *fiber.Ctx) error {
				c.SetUserContext(authn.Into(c.UserContext(), authn.Principal{MemberID: test.caller}))
				return c.Next()
			})
			app.Group("/things", httpx.RequireMemberTelling(func(_ context.Context, caller authn.Principal, owner uint64, request string) {
				told <- fmt.Sprint(caller.MemberID, " ", owner, " ", request)
			})).Get("/:id", func(*fiber.Ctx) error { return test.answer })
		}).do(t, http.MethodGet, "/things/5", "")
		close(told)
		var got []string
		for line := range told {
			got = append(got, line)
		}
		require.Equal(t, test.told, got, name)
	}
}
