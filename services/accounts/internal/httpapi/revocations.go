package httpapi

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/wire"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// revocations answers gateways that cannot ask over NATS.
func (a *API) revocations(c *fiber.Ctx) error {
	after, err := strconv.ParseUint(c.Query("after", "0"), 10, 64)
	if err != nil {
		return fault.InvalidField("after", "A valid integer is required.")
	}
	revocations, latest, err := a.service.Revoked(c.UserContext(), after, accounts.MaxRevocations)
	if err != nil {
		return err
	}
	message := wire.Revocations(revocations)
	message.Latest = latest
	forbidStoring(c)
	return httpx.AnswerJSON(c, fiber.StatusOK, message)
}
