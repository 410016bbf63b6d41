package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/account"
	"oms.internal/libs/audit"
	"oms.internal/libs/authn"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

// eventJSON is an audit event as the API shows it. Actor and subject are members' ids, null for none.
type eventJSON struct {
	ID        uint64  `json:"id"`
	At        string  `json:"at"`
	Action    string  `json:"action"`
	Actor     *uint64 `json:"actor"`
	Subject   *uint64 `json:"subject"`
	Address   string  `json:"address"`
	Outcome   string  `json:"outcome"`
	RequestID string  `json:"request_id"`
	Detail    string  `json:"detail"`
	Count     int     `json:"count"`
}

func (a *API) events(c *fiber.Ctx) error {
	caller := authn.From(c.UserContext())
	requested := httpx.RequestedURL(c)
	request, err := listing.Parse(requested.RawQuery, account.AuditList, a.zone)
	if err != nil && caller.Admin {
		return err
	}
	page, err := a.service.AuditEvents(c.UserContext(), caller, request)
	if err != nil {
		return err
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(requested, request, page, a.toEventJSON))
}

func (a *API) toEventJSON(event audit.Event) eventJSON {
	return eventJSON{
		ID: event.ID, At: a.toTime(event.At), Action: string(event.Action), Actor: orNull(event.Actor), Subject: orNull(event.Subject),
		Address: event.Address, Outcome: string(event.Outcome), RequestID: event.RequestID, Detail: event.Detail,
		Count: event.Count,
	}
}

func orNull(id uint64) *uint64 {
	if id == 0 {
		return nil
	}
	return &id
}
