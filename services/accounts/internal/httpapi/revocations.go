package httpapi

import (
	"encoding/json"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/contracts/accounts"
	"oms.internal/libs/fault"
	"oms.internal/libs/httpx"
)

// revocations answers gateways, which ask four times a second for what they have not heard.
func (a *API) revocations(c *fiber.Ctx) error {
	after, err := strconv.ParseUint(c.Query("after", "0"), 10, 64)
	if err != nil {
		return fault.InvalidField("after", "A valid integer is required.")
	}
	revocations, latest, err := a.service.Revoked(c.UserContext(), after, accounts.MaxRevocations)
	if err != nil {
		return err
	}
	message := account.Contract(revocations)
	message.Latest = latest
	forbidStoring(c)
	return httpx.AnswerJSON(c, fiber.StatusOK, message)
}

// tellGateway puts into the answer what the request revoked, for the gateway, which takes it out.
func tellGateway(c *fiber.Ctx, revocations []account.Revocation) error {
	if len(revocations) == 0 {
		return nil
	}
	encoded, err := json.Marshal(account.Contract(revocations))
	if err != nil {
		return err
	}
	c.Set(accounts.HeaderRevocations, string(encoded))
	return nil
}
