package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

func (a *API) transition(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	wanted, err := readTransition(c)
	if err != nil {
		return a.refuse(c, id, err)
	}
	condition, request, err := readChange(c, "transition", id, string(wanted.To), wanted.Note)
	if err != nil {
		return a.refuse(c, id, err)
	}
	changed, replayed, err := a.service.Transition(
		c.UserContext(), authn.From(c.UserContext()), id, wanted, condition, request)
	if err != nil {
		return err
	}
	tellReplay(c, replayed)
	return a.answer(c, fiber.StatusOK, changed)
}

// stepResource is one entry of a timeline. From is null where the order begins.
type stepResource struct {
	ID       uint64           `json:"id"`
	At       string           `json:"at"`
	Actor    uint64           `json:"actor"`
	From     *string          `json:"from"`
	To       string           `json:"to"`
	Changes  []changeResource `json:"changes"`
	Note     string           `json:"note"`
	Redacted bool             `json:"redacted"`
}

type changeResource struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// redactNote removes the note of a step.
func (a *API) redactNote(c *fiber.Ctx) error {
	orderID, err := httpx.ID(c)
	if err != nil {
		return err
	}
	stepID, err := httpx.PathID(c, "step")
	if err != nil {
		return err
	}
	if err := a.service.RedactNote(c.UserContext(), authn.From(c.UserContext()), orderID, stepID); err != nil {
		return err
	}
	c.Status(fiber.StatusNoContent)
	return nil
}

func (a *API) timeline(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	requested := httpx.RequestedURL(c)
	request, err := listing.Parse(requested.RawQuery, listing.List{}, a.zone)
	if err != nil {
		return err
	}
	page, err := a.service.Timeline(c.UserContext(), authn.From(c.UserContext()), id, request)
	if err != nil {
		return err
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(requested, request, page, a.toStep))
}

func (a *API) toStep(step order.Step) stepResource {
	shown := stepResource{
		ID: step.ID, At: orders.FormatTime(step.At, a.zone), Actor: step.ActorID, To: string(step.To),
		Changes: []changeResource{}, Note: step.Note, Redacted: step.Redacted,
	}
	for _, change := range step.Changes {
		shown.Changes = append(shown.Changes, changeResource(change))
	}
	if step.From != "" {
		shown.From = new(string(step.From))
	}
	return shown
}
