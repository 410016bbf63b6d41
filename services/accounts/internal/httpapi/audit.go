package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/accounts/internal/audit"
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
}

func (a *API) events(c *fiber.Ctx) error {
	ctx := c.UserContext()
	params := newQuery(c)
	wanted := audit.Query{
		Request: params.page(),
		Action:  audit.Action(params.choice("action", audit.Actions())),
		Outcome: audit.Outcome(params.choice("outcome", audit.Outcomes())),
		Actor:   params.id("actor"),
		Subject: params.id("subject"),
		Since:   params.time("since", a.zone, earliest),
		Until:   params.time("until", a.zone, latest),
	}
	caller := authn.From(ctx)
	if err := params.err(); err != nil && caller.Admin {
		return err
	}
	events, count, err := a.service.AuditEvents(ctx, caller, wanted)
	if err != nil {
		return err
	}
	results := make([]eventJSON, len(events))
	for i, event := range events {
		results[i] = a.toEventJSON(event)
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(httpx.RequestedURL(c), wanted.Request, count, results))
}

func (a *API) toEventJSON(event audit.Event) eventJSON {
	return eventJSON{
		ID: event.ID, At: a.toTime(event.At), Action: string(event.Action), Actor: orNull(event.Actor), Subject: orNull(event.Subject),
		Address: event.Address, Outcome: string(event.Outcome), RequestID: event.RequestID, Detail: event.Detail,
	}
}

func orNull(id uint64) *uint64 {
	if id == 0 {
		return nil
	}
	return &id
}
