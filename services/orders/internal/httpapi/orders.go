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
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	page, err := a.service.List(c.UserContext(), authn.From(c.UserContext()), query)
	if err != nil {
		return err
	}
	if page.CustomersUnknown {
		c.Set(headerDegraded, "customer_search")
	}
	resources := make([]orders.Resource, len(page.Orders))
	for i, found := range page.Orders {
		resources[i] = a.toResource(found)
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, listing.NewPage(httpx.RequestedURL(c), query.Request, page.Count, resources))
}

func (a *API) create(c *fiber.Ctx) error {
	input, err := readOrder(c, field.Required)
	if err != nil {
		return err
	}
	created, err := a.service.Create(c.UserContext(), authn.From(c.UserContext()), input)
	if err != nil {
		return err
	}
	c.Location(fmt.Sprintf("/orders/%d", created.ID))
	return httpx.AnswerJSON(c, fiber.StatusCreated, a.toResource(created))
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
	return httpx.AnswerJSON(c, fiber.StatusOK, a.toResource(found))
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
	ctx := c.UserContext()
	caller := authn.From(ctx)
	// Whoever may not see the order hears so before anything about the body.
	shown, err := a.service.Get(ctx, caller, id)
	if err != nil {
		return err
	}
	input, err := readOrder(c, presence)
	if err != nil {
		return err
	}
	updated, err := a.service.Update(ctx, caller, shown, input)
	if err != nil {
		return err
	}
	return httpx.AnswerJSON(c, fiber.StatusOK, a.toResource(updated))
}

func (a *API) delete(c *fiber.Ctx) error {
	id, err := httpx.ID(c)
	if err != nil {
		return err
	}
	if err := a.service.Delete(c.UserContext(), authn.From(c.UserContext()), id); err != nil {
		return err
	}
	c.Status(fiber.StatusNoContent)
	return nil
}

func (a *API) toResource(found order.Order) orders.Resource {
	return orders.Order(found).Resource(a.zone)
}
