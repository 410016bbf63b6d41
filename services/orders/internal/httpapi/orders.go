package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/field"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// headerDegraded names what the answer had to do without because a part did not answer in time.
const headerDegraded = "Degraded"

func (a *API) list(c *fiber.Ctx) error {
	requested := httpx.RequestedURL(c)
	request, err := listing.Parse(requested.RawQuery, order.List, a.zone)
	if err != nil {
		return err
	}
	page, err := a.service.List(c.UserContext(), authn.From(c.UserContext()), request)
	if err != nil {
		return err
	}
	if page.CustomersUnknown {
		c.Set(headerDegraded, "customer_search")
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(requested, request, page.Rows, a.toResource))
}

func (a *API) create(c *fiber.Ctx) error {
	input, err := readOrder(c, field.Required)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	caller := authn.From(ctx)
	request, err := readCreation(c, caller, input)
	if err != nil {
		return err
	}
	created, replayed, err := a.service.Create(ctx, caller, input, request)
	if err != nil {
		return err
	}
	tellReplay(c, replayed)
	httpx.SetLocation(c, fmt.Sprintf("/orders/%d", created.ID))
	return a.answer(c, fiber.StatusCreated, created)
}

func (a *API) get(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	found, err := a.service.Get(c.UserContext(), authn.From(c.UserContext()), id)
	if err != nil {
		return err
	}
	return a.answer(c, fiber.StatusOK, found)
}

// refuse answers a request about an order that cannot be read. Whoever may not see the order hears that instead.
func (a *API) refuse(c *fiber.Ctx, id uint64, malformed error) error {
	if err := a.service.MaySee(c.UserContext(), authn.From(c.UserContext()), id); err != nil {
		return err
	}
	return malformed
}

// replace is PUT: the product must be there; customer and number stay when they are left out.
func (a *API) replace(c *fiber.Ctx) error { return a.update(c, field.Required) }

// change is PATCH: what is left out stays.
func (a *API) change(c *fiber.Ctx) error { return a.update(c, field.Optional) }

func (a *API) update(c *fiber.Ctx, presence field.Presence) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	input, err := readOrder(c, presence)
	if err != nil {
		return a.refuse(c, id, err)
	}
	condition, request, err := readUpdate(c, id, input)
	if err != nil {
		return a.refuse(c, id, err)
	}
	updated, replayed, err := a.service.Update(c.UserContext(), authn.From(c.UserContext()), id, input, condition, request)
	if err != nil {
		return err
	}
	tellReplay(c, replayed)
	return a.answer(c, fiber.StatusOK, updated)
}

func (a *API) delete(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	condition, request, err := readChange(c, "delete order", id)
	if err != nil {
		return a.refuse(c, id, err)
	}
	replayed, err := a.service.Delete(c.UserContext(), authn.From(c.UserContext()), id, condition, request)
	if err != nil {
		return err
	}
	tellReplay(c, replayed)
	c.Status(fiber.StatusNoContent)
	return nil
}

// tellReplay says in the answer that it was given before.
func tellReplay(c *fiber.Ctx, replayed bool) {
	if replayed {
		c.Set(httpx.HeaderIdempotencyReplayed, "true")
	}
}

// answer shows one order with its tag.
func (a *API) answer(c *fiber.Ctx, status int, shown order.Order) error {
	return httpx.AnswerTagged(c, status, shown.ID, shown.Version, a.toResource(shown))
}

func (a *API) toResource(shown order.Order) orders.Resource { return shown.Contract().Resource(a.zone) }
