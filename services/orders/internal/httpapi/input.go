package httpapi

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"oms.internal/libs/fault"
	"oms.internal/libs/field"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
)

// readOrder reads an order's fields. Customer and number may always be left out; product says what it means that the
// product is.
func readOrder(c *fiber.Ctx, product field.Presence) (order.Change, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return order.Change{}, err
	}
	change := order.Change{
		CustomerID: object.Key("customer", field.Optional),
		OrderNumber: object.Text("order_number", field.Optional,
			field.Length(order.NumberLength, order.NumberLength), field.Pattern(order.NumberPattern)),
		ProductName: object.Text("product_name", product, field.Length(1, order.MaxProductName)),
	}
	return change, object.Err()
}

func readQuery(c *fiber.Ctx) (order.Query, error) {
	get := func(name string) string { return c.Query(name) }
	request, err := listing.Parse(get, order.Orderable())
	if err != nil {
		return order.Query{}, err
	}
	query := order.Query{Request: request, ProductName: get("product_name")}
	if customer := get("customer"); customer != "" {
		if query.CustomerID, err = strconv.ParseUint(customer, 10, 63); err != nil || query.CustomerID == 0 {
			return order.Query{}, fault.InvalidField("customer", noSuchChoice)
		}
	}
	return query, nil
}

// noSuchChoice is what django-filter says of a filter value that is no row's id.
const noSuchChoice = "Select a valid choice. That choice is not one of the available choices."
