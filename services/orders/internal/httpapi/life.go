package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
)

func (a *API) transition(c *fiber.Ctx) error {
	// Whoever may not see the order hears so before anything about the body.
	shown, err := a.shown(c)
	if err != nil {
		return err
	}
	wanted, err := readTransition(c)
	if err != nil {
		return err
	}
	condition, err := httpx.IfMatch(c, shown.ID)
	if err != nil {
		return err
	}
	request, err := readRequest(c, "transition", shown.ID, string(wanted.To), wanted.Note)
	if err != nil {
		return err
	}
	changed, replayed, err := a.service.Transition(
		c.UserContext(), authn.From(c.UserContext()), shown.ID, wanted, condition, request)
	if err != nil {
		return err
	}
	tellReplay(c, replayed)
	return a.answer(c, fiber.StatusOK, changed)
}

// stepResource is one entry of a timeline. From is null where the order begins.
type stepResource struct {
	At    string  `json:"at"`
	Actor uint64  `json:"actor"`
	From  *string `json:"from"`
	To    string  `json:"to"`
	Note  string  `json:"note"`
}

func (a *API) timeline(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	steps, err := a.service.Timeline(c.UserContext(), authn.From(c.UserContext()), id)
	if err != nil {
		return err
	}
	request, err := listing.ParsePage(func(name string) string { return c.Query(name) })
	if err != nil {
		return err
	}
	begin := min(request.Offset, len(steps))
	resources := []stepResource{}
	for _, step := range steps[begin:min(begin+request.Limit, len(steps))] {
		shown := stepResource{
			At: orders.FormatTime(step.At, a.zone), Actor: step.ActorID, To: string(step.To), Note: step.Note,
		}
		if step.From != "" {
			shown.From = new(string(step.From))
		}
		resources = append(resources, shown)
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(httpx.RequestedURL(c), request, len(steps), resources))
}
