package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/httpx"
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
	condition, err := httpx.IfMatch(c)
	if err != nil {
		return err
	}
	changed, err := a.service.Transition(c.UserContext(), authn.From(c.UserContext()), shown.ID, wanted, condition)
	if err != nil {
		return err
	}
	return a.answer(c, fiber.StatusOK, changed)
}

// timelineResource has the form of a list, but is never so long that it would need pages.
type timelineResource struct {
	Results []stepResource `json:"results"`
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
	resource := timelineResource{Results: make([]stepResource, len(steps))}
	for i, step := range steps {
		shown := stepResource{
			At: orders.FormatTime(step.At, a.zone), Actor: step.ActorID, To: string(step.To), Note: step.Note,
		}
		if step.From != "" {
			shown.From = new(string(step.From))
		}
		resource.Results[i] = shown
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, resource)
}
