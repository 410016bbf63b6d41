package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/authn"
	"oms.internal/libs/contracts/orders"
	"oms.internal/libs/export"
	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// export answers with all orders that the list of the same parameters has.
func (a *API) export(c *fiber.Ctx) error {
	request, err := listing.Parse(httpx.RequestedURL(c).RawQuery, order.List, a.zone)
	caller := authn.From(c.UserContext())
	if err != nil && caller.Admin {
		return err
	}
	next, customersUnknown, err := a.service.Export(c.UserContext(), caller, request)
	if err != nil {
		return err
	}
	if customersUnknown {
		c.Set(headerDegraded, "customer_search")
	}
	return export.Answer(c, a.exports, "orders", func(ctx context.Context) ([]orders.Resource, error) {
		found, err := next(ctx)
		resources := make([]orders.Resource, len(found))
		for i, each := range found {
			resources[i] = a.toResource(each)
		}
		return resources, err
	})
}
